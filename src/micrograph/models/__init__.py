"""Models: what is under the microscope. Importing this package does not import torch."""

from pathlib import Path
from typing import TYPE_CHECKING

from micrograph.cards import adapters
from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.registry import card, cards, register

if TYPE_CHECKING:
    from micrograph.models.model import Model

__all__ = ["ModelCard", "WeightsSource", "card", "cards", "load", "register"]


def load(
    model: str | ModelCard,
    *,
    weights: Path | str | None = None,
    device: str = "cpu",
    id: str | None = None,
    preprocessing: Preprocessing | str | None = None,
) -> "Model":
    """The model of that id with its weights, verified by digest, ready to run on `device`.

    Also of a model that is in no registry: `timm:NAME`, `torchvision:NAME`, `open_clip:NAME/TAG`,
    `hf:NAME`, `path/net.py:build` (see docs/own-models.md). `weights` is a file, or "random" for
    the untrained network, the same every time; by default they are looked for, see
    `weights.store`, or come from the library. `id` and `preprocessing` (also in words, see
    `adapters.inputs`) replace what the model's own are.

    Raises NotFound for an unknown name, WeightsError for a wrong file, Unavailable for a missing
    one or a missing library, BadInput for a model that does not run on pictures.
    """
    from micrograph.models.loading import load_card

    if isinstance(model, ModelCard):
        chosen = adapters.changed(model, id=id, preprocessing=preprocessing)
    else:
        chosen = card(model, id=id, preprocessing=preprocessing)
    return load_card(chosen, weights=weights, device=device)
