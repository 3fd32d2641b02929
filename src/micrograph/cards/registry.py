"""Which models there are. A new architecture is one new file in `zoo/`; nothing here needs torch.

Packages of others join through the entry point group `micrograph.models`: each entry point names a
ModelCard, or a function without arguments that gives one.
"""

import importlib
import pkgutil
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import entry_points

from micrograph.address import Address
from micrograph.cards import adapters, remembered, zoo
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, not_found

ENTRY_POINTS = "micrograph.models"

_cards: dict[str, ModelCard] = {}
_scanned = False


def register(card: ModelCard) -> ModelCard:
    """Make a model known under its id, in this process.

    Parameters:
        card: what is known of it; the functions in it are not called.

    Returns the card. Registering an equal card again changes nothing.

    Raises BadInput if another card has that id already, or if no address can have the id.

    >>> from dataclasses import replace
    >>> mine = register(replace(card("toytown"), id="my_toytown", digest=""))
    >>> card("My_Toytown") is mine
    True
    """
    if Address(card.id).model != card.id:  # also raises for ids that no address can carry
        raise BadInput(f"model id {card.id!r} cannot be part of an address")
    known = _cards.get(card.id)
    if known is not None and known != card:
        raise BadInput(f"a model called {card.id!r} is registered already; choose another id")
    _cards[card.id] = card
    return card


def cards() -> dict[str, ModelCard]:
    """All cards by id, in alphabetical order: ours, those of entry points, and registered ones.

    Returns a new mapping. A card of another package that cannot be had is left out with a warning.

    >>> [id for id, card in cards().items() if card.bundled][:3]
    ['toytown', 'toytown_clip', 'toytown_vit']
    """
    _scan()
    return dict(sorted(_cards.items()))


def card(
    model_id: str, *, id: str | None = None, preprocessing: str | Preprocessing | None = None
) -> ModelCard:
    """What is known of one model.

    Parameters:
        model_id: an id, in any case; or the name of a model that is in no registry
            (`timm:resnet18`, `net.py:build`, see `cards.adapters`); or the id that such a model was
            given before.
        id: what addresses call it, instead of its own id.
        preprocessing: what it takes, instead of what is known; also in words.

    Raises NotFound with the nearest ids, BadInput for an id that a registered model has.

    >>> card("toytown").labels[:3]
    ('car', 'bus', 'tram')
    """
    known = cards()
    spec = adapters.parse(model_id)
    if spec is not None:
        return _free(adapters.card_of(spec, id=id, preprocessing=preprocessing), known)
    if (found := _in_any_case(model_id, known)) is not None:
        changed = adapters.changed(found, id=id, preprocessing=preprocessing)
        return changed if id is None or id == found.id else _free(changed, known)
    own = remembered.load_remembered(model_id)
    if own is None or not (adapters.parse(own.spec) or own.spec in known):
        raise not_found("model", model_id, [*known, *remembered.ids()])
    found = card(own.spec, id=id or own.id, preprocessing=preprocessing or own.input or None)
    return replace(found, weights=own.weights, spec=own.said or found.spec)


def _in_any_case(id: str, known: Mapping[str, ModelCard]) -> ModelCard | None:
    return {i.lower(): c for i, c in known.items()}.get(id.lower())


def _free(card: ModelCard, known: Mapping[str, ModelCard]) -> ModelCard:
    """`card` itself. Raises BadInput if a registered model has its id."""
    if _in_any_case(card.id, known):
        raise BadInput(f"a model called {card.id!r} is registered; choose another with --id")
    return card


def _scan() -> None:
    global _scanned
    if _scanned:
        return
    _scanned = True
    for module in pkgutil.iter_modules(zoo.__path__):
        if not module.name.startswith("_"):
            register(importlib.import_module(f"{zoo.__name__}.{module.name}").CARD)
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            loaded = entry.load()
            register(loaded if isinstance(loaded, ModelCard) else loaded())
        except Exception as error:  # somebody else's code: it may fail in any way
            warnings.warn(
                f"the model {entry.name!r} of entry point {entry.value!r} is left out: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
