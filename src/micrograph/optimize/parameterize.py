"""Images as parameters: the tensor that the optimizer changes, and the picture made from it.

Constants and formulas: Olah et al., "Feature Visualization", Distill 2017, and its code, lucid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

# Columns: the directions in which colours of natural images vary, most first, in RGB (lucid).
_COLOR = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOR_BASIS = _COLOR / _COLOR.norm(dim=0).max()
"""[rgb, component]: uncorrelated components to RGB; the first column has norm 1."""


class Parameterization(Protocol):
    """A way to write pictures of `size` x `size` px down as one tensor per batch."""

    @property
    def size(self) -> int: ...

    def start(self, rngs: Sequence[np.random.Generator]) -> Tensor:
        """Start values, float32 [batch, ...], sample b drawn from `rngs[b]` alone."""
        ...

    def image(self, params: Tensor) -> Tensor:
        """RGB [batch, 3, y, x] in 0..1; sample b depends on `params[b]` alone."""
        ...


@runtime_checkable
class Layered(Parameterization, Protocol):
    """One whose images have further channels behind RGB. Random transformations move these along,
    and objectives get them with the image; the network gets `shown`."""

    def shown(self, images: Tensor, rngs: Sequence[np.random.Generator] | None) -> Tensor:
        """[batch, 3 and more, y, x] to RGB [batch, 3, y, x]; without `rngs` the finished picture,
        else what the network sees at one step, sample b drawn from `rngs[b]` alone."""
        ...


@runtime_checkable
class Bolder(Parameterization, Protocol):
    """One that can begin again where plain grey is far, without which a picture of a unit that
    answers to grey may stay there."""

    def bolder(self, start: Tensor) -> Tensor:
        """Start values as `start` gave them, with more contrast than a photograph has."""
        ...


BOLD = 1.0
"""Standard deviation of the spectrum from which pictures begin again that are stuck in grey."""


def to_rgb(components: Tensor) -> Tensor:
    """Uncorrelated colour components [batch, 3, y, x] (any range) to RGB in 0..1."""
    basis = COLOR_BASIS.to(components)
    return torch.einsum("rc,bcyx->bryx", basis, components).sigmoid()


def normal_start(rngs: Sequence[np.random.Generator], shape: tuple[int, ...], sd: float) -> Tensor:
    """Start values N(0, sd^2), float32 [batch, *shape]."""
    draws = [rng.standard_normal(shape, dtype=np.float32) for rng in rngs]
    return torch.from_numpy(np.stack(draws)) * sd


def spectrum_shape(channels: int, size: int) -> tuple[int, ...]:
    """The shape of the spectra of pictures of `size` px: real and imaginary part are its end."""
    return channels, size, size // 2 + 1, 2


@lru_cache(4)
def _frequency_scale(size: int, decay: float) -> Tensor:
    fy = np.fft.fftfreq(size)[:, None]
    fx = np.fft.rfftfreq(size)[None, :]
    f = np.maximum(np.hypot(fy, fx), 1 / size)
    return torch.from_numpy(size / f**decay).float()


@dataclass(frozen=True)
class FourierImage:
    """Spectra with 1/f scaling, so that every spatial frequency moves at the same pace.

    Params are [batch, 3, size, size // 2 + 1, 2] (real and imaginary part), drawn N(0, sd^2).

    size: side of the picture in pixels.
    sd: standard deviation of the start values; 0.01 is faint, 0.5 as much contrast as a photograph.
        From faint noise the picture of a unit that answers to plain grey may stay grey.
    decay: the power of the frequency in the scaling.

    >>> from micrograph import load, optimize as opt
    >>> strong = opt.FourierImage(32, sd=0.5)
    >>> settings = opt.Settings(size=32, steps=2)
    >>> target = opt.energy("conv1")
    >>> made = opt.optimize(load("toytown"), target, settings, parameterization=strong)
    >>> made.as_uint8().shape
    (1, 32, 32, 3)
    """

    size: int
    sd: float = 0.3
    decay: float = 1.0

    def start(self, rngs: Sequence[np.random.Generator]) -> Tensor:
        return normal_start(rngs, spectrum_shape(3, self.size), self.sd)

    def bolder(self, start: Tensor) -> Tensor:
        """See `Bolder`."""
        return start * max(1.0, BOLD / self.sd)

    def scale(self) -> Tensor:
        """[y, x // 2 + 1]: sqrt(w h) / max(f, 1 / size)^decay, f in cycles per pixel."""
        return _frequency_scale(self.size, self.decay)

    def components(self, params: Tensor) -> Tensor:
        """The uncorrelated colour components, [batch, 3, y, x], before they become colours."""
        spectrum = torch.view_as_complex(params) * self.scale().to(params.device)
        # The inverse transform is normalised by 1 / (h w); 4 is lucid's constant against
        # saturated colours.
        components: Tensor = torch.fft.irfft2(spectrum, s=(self.size, self.size)) / 4
        return components

    def image(self, params: Tensor) -> Tensor:
        return to_rgb(self.components(params))


@dataclass(frozen=True)
class PixelImage:
    """Plain pixels in uncorrelated colour, drawn N(0, sd^2); params are [batch, 3, size, size].

    >>> import numpy as np
    >>> from micrograph import optimize as opt
    >>> pixels = opt.PixelImage(16)
    >>> tuple(pixels.image(pixels.start([np.random.default_rng(0)])).shape)
    (1, 3, 16, 16)
    """

    size: int
    sd: float = 0.01

    def start(self, rngs: Sequence[np.random.Generator]) -> Tensor:
        return normal_start(rngs, (3, self.size, self.size), self.sd)

    def image(self, params: Tensor) -> Tensor:
        return to_rgb(params)
