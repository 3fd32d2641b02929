"""Models: what is under the microscope. Importing this package does not import torch."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from micrograph.cards import adapters
from micrograph.cards.model_card import ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.registry import card, cards, register
from micrograph.errors import BadInput

if TYPE_CHECKING:
    from micrograph.models.model import Model

__all__ = ["ModelCard", "WeightsSource", "card", "cards", "load", "register"]


def load(
    model: str | os.PathLike[str] | ModelCard,
    *,
    weights: Path | str | None = None,
    device: str = "cpu",
    id: str | None = None,
    preprocessing: Preprocessing | str | None = None,
) -> "Model":
    """The model of that id with its weights, verified by digest, ready to run.

    Parameters:
        model: an id (`micrograph.models.cards()` lists them), a card, or the name of a model
            that is in no registry: `timm:NAME`, `torchvision:NAME`, `open_clip:NAME/TAG`,
            `hf:NAME`, `path/net.py:build` (see docs/own-models.md).
        weights: a file of any form that `micrograph weights import` reads, or "random" for the
            untrained network, the same every time. By default they are looked for (see
            `micrograph.weights.store`), or come from the library.
        device: as torch names it: "cpu", "cuda", "cuda:1", "mps".
        id: what addresses call it, instead of its own id.
        preprocessing: what it takes, instead of what is known; also in words (see
            `micrograph.cards.inputs`), such as "224,imagenet".

    Returns a `Model` in eval mode whose parameters need no gradients, in float32.

    Raises NotFound for an unknown name, WeightsError for a wrong file, Unavailable for a missing
    one or a missing library, BadInput for a device that is not there and for a model that does not
    run on pictures.

    >>> model = load("toytown")
    >>> model.id, model.preprocessing.size, model.nodes["mixed4a"].units
    ('toytown', 96, 152)
    >>> load("toytown", weights="random", id="untrained").labels
    ()
    """
    from micrograph.models.loading import load_card

    if isinstance(model, os.PathLike):
        model = str(model)
    if not isinstance(model, str | ModelCard):
        raise BadInput(
            f"model of type {type(model).__name__} given; expected a name such as 'toytown', "
            "'timm:resnet18' or 'net.py:build' (micrograph.Model.of takes networks)"
        )
    if isinstance(model, ModelCard):
        chosen = adapters.changed(model, id=id, preprocessing=preprocessing)
    else:
        chosen = card(model, id=id, preprocessing=preprocessing)
    return load_card(chosen, weights=weights, device=device)
