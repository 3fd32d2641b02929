"""Outputs whose axes are cut in pieces and mixed: windows beside the pictures, tokens in blocks.

Every axis of such an output is written as digits of what it counts. With a map of 14 rows in
windows of 7, the rows are two digits, one on the axis of windows and one within a window; put
together again they count rows from 0.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Digit = tuple[str, int, int]
"""What is counted (a letter as in `OutputLayout.axes`), how far, and what one step stands for.

Pictures are counted as far as there are some: their size is 0."""

Move = tuple[int, int]
"""Position p of the network's axis stands for the place `sign * p + shift`, modulo its length."""

STILL: Move = (1, 0)


@dataclass(frozen=True)
class Blocks:
    """`digits` of every axis of an output, and where its rows and columns were `moved` to.

    How an output is cut depends on the size of the pictures; this is known for pictures of `pixels`
    (y, x).
    """

    digits: tuple[tuple[Digit, ...], ...]
    moved: tuple[Move, Move] = (STILL, STILL)
    pixels: tuple[int, int] = (0, 0)

    def size(self, role: str) -> int:
        """How far all digits of a letter count together."""
        return math.prod(n for one in self.digits for letter, n, _ in one if letter == role)

    def joined(self, raw: "Tensor", axes: str) -> "Tensor":
        """`raw` with one axis for each letter of `axes`, in that order."""
        flat, batch = self._flat(), self.pictures(raw)
        cut = raw.reshape([batch if letter == "b" else n for letter, n, _ in flat])
        made = cut.permute(self._order(axes))
        made = made.reshape([batch if letter == "b" else self.size(letter) for letter in axes])
        for role, sources in self._sources().items():
            made = made.index_select(axes.index(role), sources.to(made.device))
        return made

    def cut(self, values: "Tensor", raw: "Tensor", axes: str) -> "Tensor":
        """The inverse of `joined`: `values`, of any number of pictures, in the form of `raw`."""
        for role, sources in self._sources().items():
            values = values.index_select(axes.index(role), sources.argsort().to(values.device))
        flat, order = self._flat(), self._order(axes)
        batch = values.shape[axes.index("b")]
        sizes = [batch if flat[d][0] == "b" else flat[d][1] for d in order]
        back = sorted(range(len(order)), key=lambda place: order[place])
        cut = values.reshape(sizes).permute(back)
        return cut.reshape(
            [
                math.prod(batch if letter == "b" else n for letter, n, _ in one)
                for one in self.digits
            ]
        )

    def _flat(self) -> list[Digit]:
        return [digit for one in self.digits for digit in one]

    def _order(self, axes: str) -> list[int]:
        """The places of the digits in `_flat`, the highest of each letter first."""
        flat = self._flat()
        return [
            place
            for letter in axes
            for place in sorted(
                (p for p, digit in enumerate(flat) if digit[0] == letter),
                key=lambda p: -flat[p][2],
            )
        ]

    def _sources(self) -> "dict[str, Tensor]":
        """For rows and columns that were moved: where in the output each place stands."""
        import torch

        found = {}
        for role, (sign, shift) in zip("yx", self.moved, strict=True):
            if (sign, shift) != STILL:
                count = self.size(role)
                found[role] = (sign * (torch.arange(count) - shift)) % count
        return found

    def pictures(self, raw: "Tensor") -> int:
        """How many pictures there are."""
        dim = next(d for d, one in enumerate(self.digits) for digit in one if digit[0] == "b")
        return raw.shape[dim] // math.prod(n for letter, n, _ in self.digits[dim] if letter != "b")
