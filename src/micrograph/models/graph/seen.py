"""Which pixels each position along one axis of a map sees: the first and the last of them.

Written down position by position, so that whatever moves, picks or mixes positions is followed
exactly: windows at a border, reflected padding, upsampling, flipped and rolled maps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

NONE = -1
"""In a table of positions: nothing stands there, as in padding."""


@dataclass(frozen=True, eq=False)
class SeenPixels:
    """`first` and `last` [position] in a picture of `pixels` along this axis.

    A position that sees nothing, as in padding, has `first` = `pixels` and `last` = -1.
    """

    first: Indices
    last: Indices
    pixels: int

    @classmethod
    def itself(cls, pixels: int) -> "SeenPixels":
        """Of the picture: each pixel sees itself."""
        return cls(np.arange(pixels), np.arange(pixels), pixels)

    @property
    def count(self) -> int:
        """How many positions there are."""
        return len(self.first)

    def taken(self, positions: Indices) -> "SeenPixels":
        """Of new positions, each of which sees those of its row in `positions` [new, k], or the one
        at its place in `positions` [new]; `NONE` stands for none."""
        table = positions.reshape(len(positions), -1)
        if table.shape[1] == 0:
            table = np.full((len(positions), 1), NONE)
        nothing = table == NONE
        return SeenPixels(
            np.where(nothing, self.pixels, self.first[table]).min(1),
            np.where(nothing, -1, self.last[table]).max(1),
            self.pixels,
        )

    def everything(self) -> "SeenPixels":
        """Every position sees the whole picture."""
        last = np.full(self.count, self.pixels - 1)
        return SeenPixels(np.zeros_like(last), last, self.pixels)

    def one(self) -> "SeenPixels":
        """What all positions see alike, as one position."""
        return SeenPixels(self.first[:1], self.last[:1], self.pixels)

    def over_digits(self, sizes: Sequence[int], gone: Sequence[int], keep: bool) -> "SeenPixels":
        """After a sum over some digits of the position's number.

        Parameters:
            sizes: of the digits, the highest first.
            gone: which of them are summed over.
            keep: whether the positions remain, each of which then sees what its group saw.
        """
        axes = tuple(gone)
        first = self.first.reshape(sizes).min(axes, keepdims=keep)
        last = self.last.reshape(sizes).max(axes, keepdims=keep)
        if keep:
            first, last = (np.broadcast_to(v, sizes) for v in (first, last))
        return SeenPixels(first.reshape(-1), last.reshape(-1), self.pixels)

    def with_digit(self, sizes: Sequence[int], digit: int, value: int) -> "SeenPixels":
        """Of those positions in whose number a digit has that value."""
        first, last = (v.reshape(sizes).take(value, digit) for v in (self.first, self.last))
        return SeenPixels(first.reshape(-1), last.reshape(-1), self.pixels)

    def equals(self, other: "SeenPixels") -> bool:
        """Whether every position sees the same as in `other`."""
        return np.array_equal(self.first, other.first) and np.array_equal(self.last, other.last)

    @property
    def whole(self) -> bool:
        """Whether every position sees the whole picture."""
        return bool((self.first <= 0).all() and (self.last >= self.pixels - 1).all())


def joined(parts: Sequence[SeenPixels]) -> SeenPixels:
    """Of positions side by side."""
    first, last = ([getattr(p, name) for p in parts] for name in ("first", "last"))
    return SeenPixels(np.concatenate(first), np.concatenate(last), parts[0].pixels)


def together(a: SeenPixels, b: SeenPixels) -> SeenPixels | None:
    """Of positions that see what those of `a` and of `b` see; one position stands for all. None if
    they do not fit each other."""
    if a.count != b.count and 1 not in (a.count, b.count):
        return None
    return SeenPixels(np.minimum(a.first, b.first), np.maximum(a.last, b.last), a.pixels)


def window_table(
    before: int, after: int, kernel: int, stride: int, start: int, step: int
) -> Indices:
    """[new, kernel]: the positions under a window that begins at `start` and moves by `stride`, its
    taps `step` apart, on a map of `before` positions."""
    table = start + stride * np.arange(after)[:, None] + step * np.arange(kernel)
    return np.where((table >= 0) & (table < before), table, NONE)


def transposed_table(
    before: int, after: int, kernel: int, stride: int, padding: int, dilation: int
) -> Indices:
    """[new, kernel]: the positions that a transposed convolution brings to each new one."""
    reached = np.arange(after)[:, None] + padding - dilation * np.arange(kernel)
    table = reached // stride
    return np.where((reached % stride == 0) & (table >= 0) & (table < before), table, NONE)


def bins_table(before: int, after: int) -> Indices:
    """[new, k]: the positions in the bins of an adaptive pool."""
    starts = np.arange(after) * before // after
    ends = -(-np.arange(1, after + 1) * before // after)
    table = starts[:, None] + np.arange(int((ends - starts).max()))
    return np.where(table < ends[:, None], table, NONE)
