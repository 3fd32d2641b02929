"""Random transformations that make pictures robust: only what survives them drives the unit.

Every sample has draws of its own at every step, so that a unit's picture does not depend on its
batch (lucid and its ports draw once for the whole batch). Shift, scale and rotation compose into
one affine resampling.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


class ViewSampler(Protocol):
    """What the network sees of pictures while they are optimized: another view at every step."""

    @property
    def each(self) -> int:
        """How many views of each picture the network sees in a step."""
        ...

    def begin(
        self, rngs: Sequence[np.random.Generator], steps: int, size: int, device: torch.device
    ) -> Callable[[Tensor, int], Tensor]:
        """The views of one run of `steps` on pictures of `size` px.

        A function of pictures [batch, channel, y, x] on `device` and the step (from 0), to be
        called once a step and in order; gives [batch * each, channel, y', x'], the views of a
        picture one after the other. Picture b's are drawn from `rngs[b]` alone.
        """
        ...


@dataclass(frozen=True)
class Affine:
    """Random shift, scale and rotation about the centre; one view of each picture in a step.

    jitters: side lengths in pixels; each adds a whole shift uniform in -j/2..j/2 along each axis,
        the first before, the others after scaling and rotating, as in lucid.
    scales: (low, high, step) of the zoom.
    degrees: the largest whole angle either way.
    unrotated: the number of extra draws of exactly 0 degrees.

    What comes from outside the picture is grey 0.5.

    >>> from micrograph import optimize as opt
    >>> opt.STANDARD.moves, opt.NONE.moves
    (True, False)
    >>> strong = opt.Affine(jitters=(16,), scales=(0.5, 1.5, 0.1), degrees=45)
    >>> opt.Settings(transforms=strong).transforms.degrees
    45
    """

    jitters: tuple[int, ...] = (8, 4)
    scales: tuple[float, float, float] = (0.90, 1.10, 0.02)
    degrees: int = 10
    unrotated: int = 5

    @property
    def moves(self) -> bool:
        """Whether it changes anything at all."""
        return bool(self.jitters) or self.degrees > 0 or self.scales[:2] != (1.0, 1.0)

    @property
    def each(self) -> int:
        """See `ViewSampler`."""
        return 1

    def begin(
        self, rngs: Sequence[np.random.Generator], steps: int, size: int, device: torch.device
    ) -> Callable[[Tensor, int], Tensor]:
        """See `ViewSampler`."""
        maps = draw_all(self, rngs, steps, size).to(device)
        return lambda images, step: resample(images, maps[step]) if self.moves else images

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the recipe."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Affine":
        """Read back what `as_dict` wrote, also after a way through JSON."""
        jitters, scales = tuple(data["jitters"]), tuple(data["scales"])
        return cls(jitters, scales, data["degrees"], data["unrotated"])

    def draw(self, rng: np.random.Generator, steps: int, size: int) -> np.ndarray:
        """Maps from output to input positions for all steps, float32 [step, 2, 3].

        In `grid_sample`'s coordinates, where the picture spans -1..1 along both axes.
        """
        # One row per step, so that a longer run begins as a shorter one does.
        draws = rng.random((steps, 2 + 2 * len(self.jitters)))
        low, high, step = self.scales
        zooms = np.arange(round((high - low) / step) + 1) * step + low
        zoom = _choose(zooms, draws[:, 0])
        turns = [*range(-self.degrees, self.degrees + 1), *([0] * self.unrotated)]
        angle = np.radians(_choose(np.array(turns), draws[:, 1]))
        shifts = [
            (np.floor(draws[:, 2 + 2 * i : 4 + 2 * i] * (j + 1)) - j / 2) * (2 / size)
            for i, j in enumerate(self.jitters)
        ] or [np.zeros((steps, 2))]
        cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
        linear = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)
        after = np.sum(shifts[1:], axis=0) if len(shifts) > 1 else np.zeros((steps, 2))
        shift = shifts[0] + np.einsum("sij,sj->si", linear, after)
        return np.concatenate([linear, shift[..., None]], -1).astype(np.float32)


def _choose(values: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """One of `values` for each draw, uniform in 0..1."""
    chosen: np.ndarray = values[(draws * len(values)).astype(int)]
    return chosen


STANDARD = Affine()
"""lucid's standard transforms, as one affine map."""

NONE = Affine(jitters=(), scales=(1.0, 1.0, 1.0), degrees=0, unrotated=0)


def resample(images: Tensor, maps: Tensor) -> Tensor:
    """Pictures [batch, 3, y, x] through affine `maps` [batch, 2, 3]; bilinear, grey outside."""
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    return F.grid_sample(images - 0.5, grid, align_corners=False) + 0.5


def draw_all(affine: Affine, rngs: Sequence[np.random.Generator], steps: int, size: int) -> Tensor:
    """All maps of a run, float32 [step, batch, 2, 3], sample b drawn from `rngs[b]` alone."""
    return torch.from_numpy(np.stack([affine.draw(rng, steps, size) for rng in rngs], axis=1))
