"""Pictures with transparency: what does not matter to a unit may vanish.

Mordvintsev et al., "Differentiable Image Parameterizations", Distill 2018, section 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.optimize.objectives import Activations, Objective, relative_penalty
from micrograph.optimize.parameterize import (
    BOLD,
    FourierImage,
    normal_start,
    spectrum_shape,
    to_rgb,
)

GREY = 0.5
"""Background of a finished picture: grey, which hardly drives any unit."""
EVEN = 0.01
"""Standard deviation of the spectrum of an opacity that is half everywhere."""


@dataclass(frozen=True)
class AlphaImage:
    """RGB and, as fourth channel, opacity in 0..1, all as spectra; see `FourierImage`.

    While it is optimized it lies on noise with spectrum and colours of natural pictures, another at
    every step, so that nothing is gained from what shows through.
    """

    size: int
    sd: float = 0.3
    """Of the colours at the start; opacity begins as good as even."""

    def start(self, rngs: Sequence[np.random.Generator]) -> Tensor:
        made = normal_start(rngs, spectrum_shape(4, self.size), 1.0)
        return made * torch.tensor([*[self.sd] * 3, EVEN]).view(4, 1, 1, 1)

    def bolder(self, start: Tensor) -> Tensor:
        """See `Bolder`."""
        factor = max(1.0, BOLD / self.sd)
        return start * start.new_tensor([factor, factor, factor, 1.0]).view(4, 1, 1, 1)

    def image(self, params: Tensor) -> Tensor:
        values = FourierImage(self.size).components(params)
        return torch.cat([to_rgb(values[:, :3]), values[:, 3:].sigmoid()], 1)

    def shown(self, images: Tensor, rngs: Sequence[np.random.Generator] | None) -> Tensor:
        colors, alpha = images[:, :3], images[:, 3:]
        if rngs is None:
            return GREY + alpha * (colors - GREY)
        noise = FourierImage(self.size, sd=0.5)
        backdrop = noise.image(noise.start(rngs).to(images.device))
        return backdrop + alpha * (colors - backdrop)


def transparent(objective: Objective, smooth: float = 10.0) -> Objective:
    """`objective` for pictures with opacity: times the share of the picture that is transparent.

    An opacity that changes from pixel to pixel costs `smooth` times its mean squared distance from
    its own blurred self, as a share of the objective (lucid's recipe has a fixed weight, which
    suits one network only).
    """

    def value(activations: Activations, images: Tensor) -> Tensor:
        alpha = images[:, 3:4]
        with torch.no_grad():
            blurred = F.avg_pool2d(alpha, 3, stride=1, padding=1, count_include_pad=False)
        rough = (alpha - blurred).square().mean((1, 2, 3))
        driven = objective.value(activations, images)
        return driven * (1 - alpha.mean((1, 2, 3))) - relative_penalty(driven, smooth, rough)

    return Objective(
        objective.nodes,
        value,
        objective.samples,
        objective.pre_relu,
        f"transparent {objective.label}",
    )
