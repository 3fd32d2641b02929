"""Kernels and their geometry: which positions of the source a position of the target sees."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from micrograph.models.linear.route import Passed, gradients

_NEAR = 1e-4
"""How far two gradients of the same may be apart, as a share of the largest, by rounding."""
_PERIOD = 8
"""Positions of the target after which kernels must come back, if they do at all."""


@dataclass(frozen=True)
class Box:
    """A rectangle of positions: those from `first` on, `size` of them, along (y, x)."""

    first: tuple[int, int]
    size: tuple[int, int]

    def of(self, gradient: Tensor) -> Tensor:
        """What of a map [..., y, x] lies in it."""
        (y, x), (rows, columns) = self.first, self.size
        return gradient[..., y : y + rows, x : x + columns]

    def is_inside(self, shape: tuple[int, ...]) -> bool:
        """Whether it ends before the border of a map, where it may have been cut."""
        pairs = zip(self.first, self.size, shape, strict=True)
        return all(at > 0 and at + size < total for at, size, total in pairs)


@dataclass(frozen=True)
class Geometry:
    """Position p of the target sees the positions `p * stride + offset` to `... + size - 1` of the
    source, along (y, x).

    With a `position` kernels are those of that position alone, and others may have others;
    `stride` may be a fraction behind an upsampling, whose phases then have kernels of their own.
    `cut` says that the kernel reaches the border of the map.
    """

    stride: tuple[float, float]
    offset: tuple[int, int]
    size: tuple[int, int]
    position: tuple[int, int] | None = None
    cut: bool = False

    def box(self, position: Sequence[int]) -> Box:
        """What a position of the target sees."""
        if self.position is not None:
            return Box(self.offset, self.size)
        steps = zip(position, self.stride, self.offset, strict=True)
        top, left = (int(p * s) + o for p, s, o in steps)
        return Box((top, left), self.size)


def support(passed: Passed, position: Sequence[int] | None) -> Box | None:
    """The box of positions of the source that a position of the target depends on, or any if none
    is given."""
    gradient = probed(passed, position)
    if gradient.ndim < 3:
        return Box((0, 0), (1, 1)) if gradient.any() else None
    touched = gradient.abs().sum(0) > 0
    if not touched.any():
        return None
    rows, columns = (touched.any(1 - axis).nonzero().flatten().tolist() for axis in (0, 1))
    return Box((rows[0], columns[0]), (rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]))


def values_at(passed: Passed, position: Sequence[int]) -> Tensor:
    """[unit]: the values of the target at a position, of a flat one its values."""
    assert passed.target is not None
    values = passed.target
    for at in position if values.ndim > 1 else ():
        values = values[:, at]
    return values


def probed(passed: Passed, position: Sequence[int] | None) -> Tensor:
    """The gradient of a random mixture of all units at a position, or at all."""
    assert passed.target is not None
    values = passed.target.flatten() if position is None else values_at(passed, position)
    draw = torch.Generator().manual_seed(1)
    seed = torch.randn(1, len(values), generator=draw).to(values)
    return gradients(values, passed.source, seed)[0]


def geometry(
    structure: Passed, passed: Passed, position: tuple[int, int], *, held: bool
) -> Geometry | None:
    """Of the kernels at `position` and, if it is so, everywhere; None if nothing is seen there.

    With something `held` at a picture, kernels count for the position alone. `structure` shows what
    depends on what, `passed` whether two positions have the same weights.
    """
    assert passed.target is not None
    box = support(structure, position)
    if box is None:
        return None
    shape, source = passed.target.shape[1:], passed.source.shape[1:]
    own = Geometry((0, 0), box.first, box.size, position, cut=not box.is_inside(tuple(source)))
    if own.cut or (held and any(note.held for note in passed.approximations)):
        return own
    here = box.of(probed(passed, position))
    for step in range(1, _PERIOD + 1):
        there = tuple(p + (step if n > 1 else 0) for p, n in zip(position, shape, strict=True))
        if there == position or any(p >= n for p, n in zip(there, shape, strict=True)):
            break
        other = support(structure, there)
        if other is None or other.size != box.size or not other.is_inside(tuple(source)):
            continue
        if not near(here, other.of(probed(passed, there))):
            continue
        down, right = (b - a for a, b in zip(box.first, other.first, strict=True))
        if step > 1:
            return replace(own, stride=(down / step, right / step))
        top, left = box.first[0] - position[0] * down, box.first[1] - position[1] * right
        return Geometry((down, right), (top, left), box.size)
    return own


def near(one: Tensor, other: Tensor) -> bool:
    """Whether two gradients are the same but for rounding."""
    if one.shape != other.shape:
        return False
    largest = torch.maximum(one.abs().max(), other.abs().max())
    return bool((one - other).abs().max() <= _NEAR * largest)
