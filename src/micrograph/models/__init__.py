"""Models: what is under the microscope. Importing this package does not import torch."""

from pathlib import Path
from typing import TYPE_CHECKING

from micrograph.models.card import ModelCard, WeightsSource
from micrograph.models.registry import card, cards, register

if TYPE_CHECKING:
    from micrograph.models.model import Model

__all__ = ["ModelCard", "WeightsSource", "card", "cards", "load", "register"]


def load(model_id: str, *, weights: Path | None = None, device: str = "cpu") -> "Model":
    """The model of that id with its weights, verified by digest, ready to run on `device`.

    `weights` is a safetensors file; by default it is looked for, see `weights.candidates`. Raises
    NotFound for an unknown id, WeightsError for a wrong file, Unavailable for a missing one.
    """
    from micrograph.models.loading import load_card

    return load_card(card(model_id), weights=weights, device=device)
