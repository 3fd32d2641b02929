"""Likeness of a node's activations on two pictures: the objective of caricatures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.models.model import Model
from micrograph.optimize.ascent import activations
from micrograph.optimize.objectives import Activations, Objective, times_cosine
from micrograph.optimize.parameterize import FourierImage


@dataclass(frozen=True)
class PairedImage:
    """A picture from noise (`FourierImage`) with a given one, `source` [3, size, size] in 0..1, as
    three more channels: random transformations move both alike."""

    source: Tensor

    @property
    def size(self) -> int:
        return self.source.shape[-1]

    def start(self, rngs: Sequence[np.random.Generator]) -> Tensor:
        return FourierImage(self.size).start(rngs)

    def image(self, params: Tensor) -> Tensor:
        images = FourierImage(self.size).image(params)
        return torch.cat([images, self.source.to(images).expand_as(images)], 1)

    def shown(self, images: Tensor, rngs: Sequence[np.random.Generator] | None) -> Tensor:
        return images[:, :3]


def resemblance(
    model: Model, node: str, *, cosine_power: float = 0.0, precision: str = "fp32"
) -> Objective:
    """For `PairedImage` pictures: S cos^p, where S is the product of the activations of picture and
    source, summed over units and positions, and cos is their cosine, at least 0.1.

    lucid's, whose cosine lacks the source's norm; that is a constant factor there and is not here.
    """

    def value(seen: Activations, images: Tensor) -> Tensor:
        a = seen[node].flatten(1)
        with torch.no_grad():
            reader = Objective((node,), lambda _, x: x)
            b = activations(model, reader, images[:, 3:], precision)[node].flatten(1)
        dot = (a * b).sum(1)
        if cosine_power:
            dot = times_cosine(dot, dot / (1e-6 + a.norm(dim=1) * b.norm(dim=1)), cosine_power)
        return dot

    return Objective((node,), value, label=f"resemblance({node})")
