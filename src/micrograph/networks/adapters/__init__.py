"""Models that are in no registry: a network in the user's own file, or of a library.

`timm:NAME`, `torchvision:NAME`, `open_clip:NAME/TAG`, `hf:NAME`, `path/net.py:build`. Nothing of a
library is imported before a model of it is asked for.
"""

from dataclasses import replace
from importlib import import_module

from micrograph.address import Address
from micrograph.cards.inputs import settle
from micrograph.cards.model_card import ModelCard
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.spec import Spec, parse
from micrograph.errors import BadInput

__all__ = ["Spec", "card_of", "changed", "parse"]


def card_of(
    spec: Spec, *, id: str | None = None, preprocessing: str | Preprocessing | None = None
) -> ModelCard:
    """The card of the model that `spec` names, without its weights.

    `preprocessing` says what the network takes, in words as of `--input`, where the library does
    not or says it wrongly. Raises NotFound, BadInput or Unavailable, in one line.
    """
    adapter = import_module(f"{__name__}.{spec.library}")
    found: ModelCard = adapter.card(spec, preprocessing)
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
        preprocessing=settle(preprocessing, card.preprocessing, card.id),
    )
