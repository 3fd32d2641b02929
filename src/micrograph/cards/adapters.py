"""Which libraries networks can come from: `timm:resnet18`, `net.py:build`. Needs no torch.

An adapter is a module with

    card(spec: ModelSpec, given: str | Preprocessing | None) -> ModelCard

which makes the card of the network that a spec names, without its weights (`given` is what the user
says of its input), and, if the library's networks carry it with them,

    of_module(module: nn.Module) -> Preprocessing | None

which tells what such a network takes, and is None for any other. It is imported when it is asked.

Packages of others join through the entry point group `micrograph.adapters`: the name of an entry
point is the word before the colon, its value the adapter.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from micrograph.address import Address
from micrograph.cards.inputs import chosen_input
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.spec import FILE, ModelSpec, spec_of
from micrograph.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from torch import nn

ENTRY_POINTS = "micrograph.adapters"

OURS: Mapping[str, str] = {
    library: f"micrograph.networks.adapters.{library}"
    for library in ("timm", "torchvision", "open_clip", "hf", FILE)
}
"""The module of each adapter of ours, by the library's name in a spec."""


def libraries() -> tuple[str, ...]:
    """What may stand before the colon of a spec."""
    return (*(name for name in OURS if name != FILE), *_foreign_adapters())


def parse(text: str) -> ModelSpec | None:
    """The spec that `text` is, or None if it is of another form (an id).

    Raises BadInput for a spec that lacks something.
    """
    return spec_of(text, libraries)


def card_of(
    spec: ModelSpec, *, id: str | None = None, preprocessing: str | Preprocessing | None = None
) -> ModelCard:
    """The card of the model that `spec` names, without its weights.

    `preprocessing` says what the network takes, in words as of `--input`, where the library does
    not or says it wrongly. Raises NotFound, BadInput or Unavailable, in one line.
    """
    found: ModelCard = _adapter(spec.library).card(spec, preprocessing)
    said = f" --input {preprocessing}" if isinstance(preprocessing, str) else ""
    named = f" --id {id}" if id not in (None, found.id) else ""
    return replace(changed(found, id=id), spec=spec.text + said + named)


def changed(
    card: ModelCard, *, id: str | None = None, preprocessing: str | Preprocessing | None = None
) -> ModelCard:
    """`card` under another id, with another input. Raises BadInput for what makes no sense."""
    if id is None and not preprocessing:
        return card
    if id is not None and Address(id).model != id:
        raise BadInput(f"model id {id!r} cannot be part of an address")
    return replace(
        card,
        id=id or card.id,
        preprocessing=chosen_input(preprocessing, card.preprocessing, card.id),
    )


def input_of(module: "nn.Module") -> Preprocessing | None:
    """What a network takes, if the library that made it is known and says it."""
    for library in (*OURS, *_foreign_adapters()):
        try:
            ask = getattr(_adapter(library), "of_module", None)
        except Unavailable as error:  # somebody else's; it says nothing of this network
            warnings.warn(str(error), stacklevel=2)
            continue
        if ask is not None and (found := ask(module)) is not None:
            return found  # type: ignore[no-any-return]
    return None


@cache
def _foreign_adapters() -> dict[str, EntryPoint]:
    """Adapters of other packages; one that has the name of one of ours is left out."""
    return {e.name: e for e in entry_points(group=ENTRY_POINTS) if e.name not in OURS}


def _adapter(library: str) -> Any:
    """The adapter itself. Raises Unavailable for one of another package that cannot be imported."""
    if library in OURS:
        return import_module(OURS[library])
    entry = _foreign_adapters()[library]
    try:
        return entry.load()
    except Exception as error:  # somebody else's code: it may fail in any way
        raise Unavailable(
            f"the adapter {library!r} of entry point {entry.value!r} cannot be used: "
            f"{type(error).__name__}: {error}"
        ) from error
