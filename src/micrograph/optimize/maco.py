"""MaCo: pictures that have the spectrum of natural ones, because only their phases are optimized.

Fel et al., "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained
Optimization", NeurIPS 2023.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.models.model import Model
from micrograph.optimize.loop import climb, finished
from micrograph.optimize.objectives import Objective
from micrograph.optimize.parameterize import to_rgb
from micrograph.optimize.settings import MAX_SIZE, MAX_STEPS, check_precision, check_whole
from micrograph.steps import StepHook

# Of natural pictures, for each colour component: mean, standard deviation, and the amplitude
# f^-b exp(c cos 2t + d cos 4t), t being the angle of the frequency: cardinal directions are
# stronger. Fitted by benchmarks/spectrum.py to 1,000 photographs; the logarithm is
# met to 0.09 (root mean square).
NATURAL = (
    (-0.408, 2.396, 1.196, -0.025, 0.121),
    (1.135, 2.198, 1.289, -0.028, 0.129),
    (-0.342, 2.313, 1.180, -0.027, 0.108),
)

MAX_CROPS = 256

_SPREAD = np.pi / np.sqrt(3)
"""Standard deviation of phases uniform in -pi..pi."""


@dataclass(frozen=True)
class MacoSettings:
    """How to optimize. `size` of the picture in pixels; each of `steps` looks at `crops` squares
    of it, whose side falls from `wide` to `narrow` (shares of the picture); `rate` is Nadam's.
    Raises BadInput for a value out of its range."""

    size: int = 512
    steps: int = 256
    crops: int = 32
    rate: float = 1.0
    wide: float = 0.5
    narrow: float = 0.2
    noise: float = 0.08
    redirect_steps: int = 16
    precision: str = "bf16"

    def __post_init__(self) -> None:
        check_whole("size", self.size, 16, MAX_SIZE, "pixels")
        check_whole("steps", self.steps, 1, MAX_STEPS, "steps")
        check_whole("crops", self.crops, 1, MAX_CROPS, "crops")
        check_precision(self.precision)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a recipe."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "MacoSettings":
        """Read back what `as_dict` wrote; other keys are passed over."""
        return cls(**{f.name: data[f.name] for f in fields(cls)})


@lru_cache(4)
def _natural_amplitude(size: int) -> Tensor:
    fy = np.fft.fftfreq(size)[:, None]
    fx = np.fft.rfftfreq(size)[None, :]
    f, t = np.hypot(fy, fx), np.arctan2(fy, fx)
    f[0, 0] = 1
    # Columns that stand for two conjugate ones count twice in the variance.
    twice = np.full(f.shape, 2.0)
    twice[:, 0] = 1
    if size % 2 == 0:
        twice[:, -1] = 1
    planes = []
    for _, deviation, b, c, d in NATURAL:
        plane = f**-b * np.exp(c * np.cos(2 * t) + d * np.cos(4 * t))
        plane[0, 0] = 0
        power = (twice * plane**2).sum() / size**4
        planes.append(plane * deviation / np.sqrt(power))
    return torch.from_numpy(np.stack(planes)).float()


@dataclass(frozen=True)
class PhaseImage:
    """Phases [batch, 3, size, size // 2 + 1], under the mean amplitudes of natural pictures."""

    size: int

    def start(self, rngs: Sequence[np.random.Generator]) -> Tensor:
        shape = (3, self.size, self.size // 2 + 1)
        return torch.from_numpy(
            np.stack([rng.uniform(-np.pi, np.pi, shape).astype(np.float32) for rng in rngs])
        )

    def amplitude(self) -> Tensor:
        """[3, y, x // 2 + 1], such that each component has the standard deviation it has in
        natural pictures, whatever the phases are. Without the mean."""
        return _natural_amplitude(self.size)

    def image(self, params: Tensor) -> Tensor:
        """RGB [batch, 3, y, x] in 0..1. Phases are standardised per sample, so that one picture
        does not depend on the others and long runs do not wander off."""
        mean = params.mean((1, 2, 3), keepdim=True)
        spread = params.std((1, 2, 3), keepdim=True)
        phase = (params - mean) * (_SPREAD / (spread + 1e-5))
        spectrum = torch.polar(self.amplitude().to(params.device).expand_as(phase), phase)
        components = torch.fft.irfft2(spectrum, s=(self.size, self.size))
        means = components.new_tensor([row[0] for row in NATURAL]).view(1, 3, 1, 1)
        return to_rgb(components + means)


def crops(rng: np.random.Generator, settings: MacoSettings) -> np.ndarray:
    """Squares to look at: [step, crop, 3] of scale and shift (x, y) in `grid_sample`'s coordinates.

    Centres N(0.5, 0.15), sides N(s, 0.05) with s falling linearly, as shares of the picture; moved
    so that they lie inside.
    """
    shape = (settings.steps, settings.crops)
    sides = np.linspace(settings.wide, settings.narrow, settings.steps)[:, None]
    side = np.clip(rng.normal(sides, 0.05, shape), 0.05, 1.0)
    centre = rng.normal(0.5, 0.15, (*shape, 2))
    centre = np.clip(centre, side[..., None] / 2, 1 - side[..., None] / 2)
    return np.concatenate([side[..., None], 2 * centre - 1], -1).astype(np.float32)


def cut_squares(images: Tensor, squares: Tensor, size: int) -> Tensor:
    """Squares [batch, crop, 3] out of [batch, 3, y, x], scaled to `size` px (bilinear):
    [batch * crop, 3, size, size]."""
    batch, count = squares.shape[:2]
    at = (torch.arange(size, device=images.device) * 2 + 1) / size - 1
    x = squares[..., :1] * at + squares[..., 1:2]
    y = squares[..., :1] * at + squares[..., 2:]
    grid = torch.stack(
        [
            x[:, :, None, :].expand(batch, count, size, size),
            y[:, :, :, None].expand(batch, count, size, size),
        ],
        -1,
    )
    seen = F.grid_sample(images, grid.flatten(1, 2), align_corners=False, padding_mode="border")
    return seen.view(batch, 3, count, size, size).transpose(1, 2).flatten(0, 1)


class NoisyCrops:
    """MaCo's views, a `ViewSampler`: crops of `side` px with noise on them.

    `importance` [batch, y, x] is the mean over colours of the objective's absolute gradient in the
    picture, summed over all steps (as in the paper).
    """

    def __init__(self, settings: MacoSettings, side: int) -> None:
        self._settings = settings
        self._side = side
        self.importance = torch.zeros(0)

    @property
    def each(self) -> int:
        """See `ViewSampler`."""
        return self._settings.crops

    def begin(
        self, rngs: Sequence[np.random.Generator], steps: int, size: int, device: torch.device
    ) -> Callable[[Tensor, int], Tensor]:
        """See `ViewSampler`."""
        settings, side = replace(self._settings, steps=steps), self._side
        squares = torch.from_numpy(np.stack([crops(rng, settings) for rng in rngs], 1)).to(device)
        self.importance = torch.zeros(len(rngs), size, size, device=device)

        def view(images: Tensor, step: int) -> Tensor:
            images.register_hook(self._add_importance)  # type: ignore[no-untyped-call]
            return cut_squares(images, squares[step], side) + _noise(rngs, settings, side).to(
                device
            )

        return view

    def _add_importance(self, gradient: Tensor) -> None:
        self.importance += gradient.abs().mean(1)


def maco(
    model: Model,
    target: Objective,
    settings: MacoSettings,
    *,
    seeds: Sequence[Sequence[int]],
    on_step: StepHook | None = None,
) -> tuple[Tensor, Tensor]:
    """Climb `target`, an objective of `settings.crops` crops of each picture, one after the other.

    Returns images float32 [batch, 3, y, x] in 0..1, exact in 8 bits, and their opacity
    [batch, y, x] in 0..1, from their importance to the objective.
    """
    param = PhaseImage(settings.size)
    views = NoisyCrops(settings, model.preprocessing.size)
    images, _ = climb(
        model,
        target,
        param,
        seeds=seeds,
        steps=settings.steps,
        optimizer=partial(torch.optim.NAdam, lr=settings.rate),
        views=views,
        redirect_steps=settings.redirect_steps,
        precision=settings.precision,
        on_step=on_step,
    )
    return finished(param, images).cpu(), opacity(views.importance).cpu()


def opacity(importance: Tensor) -> Tensor:
    """Importance [batch, y, x] (any range), smoothed over 1/32 of the picture, as opacity in 0..1:
    1 where the most important tenth of the picture is."""
    width = importance.shape[-1] // 32 * 2 + 1
    smooth = importance[:, None]
    for _ in range(2):  # twice a box is nearly a bell
        smooth = F.avg_pool2d(smooth, width, stride=1, padding=width // 2, count_include_pad=False)
    most = smooth.flatten(1).quantile(0.9, dim=1).clamp(min=1e-30)
    return (smooth[:, 0] / most[:, None, None]).clamp(max=1)


def _noise(rngs: Sequence[np.random.Generator], settings: MacoSettings, side: int) -> Tensor:
    """[batch * crop, 3, y, x]: N(0, noise^2) and uniform in +-noise / 2, as the paper adds."""
    shape = (settings.crops, 3, side, side)
    draws = [
        rng.standard_normal(shape, dtype=np.float32) * settings.noise
        + (rng.random(shape, dtype=np.float32) - 0.5) * settings.noise
        for rng in rngs
    ]
    return torch.from_numpy(np.concatenate(draws))
