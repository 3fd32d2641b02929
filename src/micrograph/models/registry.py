"""Which models there are. A new architecture is one new file in `zoo/`; nothing here needs torch.

Packages of others join through the entry point group `micrograph.models`: each entry point names a
ModelCard, or a function without arguments that gives one.
"""

import importlib
import pkgutil
import warnings
from importlib.metadata import entry_points

from micrograph.address import Address
from micrograph.errors import BadInput, not_found
from micrograph.models import zoo
from micrograph.models.card import ModelCard

ENTRY_POINTS = "micrograph.models"

_cards: dict[str, ModelCard] = {}
_scanned = False


def register(card: ModelCard) -> ModelCard:
    """Make `card` known under its id. Raises BadInput if another card has that id already."""
    if Address(card.id).model != card.id:  # also raises for ids that no address can carry
        raise BadInput(f"model id {card.id!r} cannot be part of an address")
    known = _cards.get(card.id)
    if known is not None and known != card:
        raise BadInput(f"a model called {card.id!r} is registered already; choose another id")
    _cards[card.id] = card
    return card


def cards() -> dict[str, ModelCard]:
    """All cards by id, in alphabetical order."""
    _scan()
    return dict(sorted(_cards.items()))


def card(model_id: str) -> ModelCard:
    """The card of that id, in any case. Raises NotFound with the nearest ids."""
    known = cards()
    by_folded = {i.lower(): c for i, c in known.items()}
    if model_id.lower() not in by_folded:
        raise not_found("model", model_id, known)
    return by_folded[model_id.lower()]


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
