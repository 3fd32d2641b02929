"""What is kept of values at some positions: their number, moments and histograms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from micrograph.sweep.exact import ExactSum
from micrograph.sweep.histogram import UnitHistograms

TOGETHER = 1 << 18
"""Samples that are worked on together, about: they stay in the processor's cache, and of networks
with many units there are tens of millions in a batch."""


@dataclass(frozen=True)
class SampledTensor:
    """Samples of a tensor of the network: `positions` times one of each of `units` units, of which
    `first` is the number of the first in the row of all units."""

    first: int
    units: int
    positions: int


@dataclass(frozen=True)
class _Block:
    """Samples that are worked on together: the columns from `start` to `stop`, but for `narrow`,
    which says that only those of some units of a tensor are meant. All samples of a unit lie in
    one block, in their order."""

    start: int
    stop: int
    units: np.ndarray
    narrow: tuple[SampledTensor, int, int] | None = None

    def of(self, samples: np.ndarray) -> np.ndarray:
        """Its samples [picture, n], of the units `units` [n]."""
        found = samples[:, self.start : self.stop]
        if self.narrow is None:
            return found
        tensor, first, last = self.narrow
        maps = found.reshape(len(samples), tensor.positions, tensor.units)
        return maps[:, :, first:last].reshape(len(samples), -1)


class SampleTally:
    """Accumulators for all units, on the arrays of a tally, which are changed."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.sum = ExactSum(arrays["sum.whole"], arrays["sum.part"])
        self.squares = ExactSum(arrays["squares.whole"], arrays["squares.part"])
        self.histogram = UnitHistograms(arrays["histogram.counts"], arrays["histogram.exponent"])
        self._arrays = arrays

    def add(self, samples: np.ndarray, tensors: Sequence[SampledTensor]) -> None:
        """`samples` float32 [picture, n] of `tensors` in a row. A batch's own sums are made in one
        fixed order."""
        count, positive = self._arrays["count"], self._arrays["positive"]
        pictures, units = len(samples), len(count)
        sums, squares = np.zeros((2, units))
        for block in _blocks(tuple(tensors), max(1, TOGETHER // pictures)):
            found = block.of(samples)
            first, last = int(block.units[0]), int(block.units[-1]) + 1
            some, places = slice(first, last), block.units - first
            self.histogram.add(found, block.units)
            exact = found.astype(np.float64)
            sums[some] += np.bincount(places, _column_sums(exact), last - first)
            np.square(exact, out=exact)
            squares[some] += np.bincount(places, _column_sums(exact), last - first)
            above = (found > 0).view(np.uint8).sum(axis=0, dtype=np.uint32)
            positive[some] += np.bincount(places, above, last - first).astype(np.int64)
            count[some] += np.bincount(places, minlength=last - first) * pictures
        self.sum.add(sums)
        self.squares.add(squares)


def _column_sums(values: np.ndarray) -> np.ndarray:
    """Row after row, whatever the number of columns: numpy adds up one alone in another order."""
    found: np.ndarray = (
        np.add.accumulate(values)[-1] if values.shape[1] == 1 else values.sum(axis=0)
    )
    return found


@lru_cache(8)
def _blocks(tensors: tuple[SampledTensor, ...], columns: int) -> tuple[_Block, ...]:
    return tuple(_cut(tensors, columns))


def _cut(tensors: tuple[SampledTensor, ...], columns: int) -> Iterator[_Block]:
    """Small tensors side by side in one block of about so many columns, large ones in several."""
    start = stop = 0
    waiting: list[np.ndarray] = []
    for tensor in tensors:
        units = np.arange(tensor.first, tensor.first + tensor.units, dtype=np.int32)
        width = tensor.units * tensor.positions
        if waiting and stop - start + width > columns:
            yield _Block(start, stop, np.concatenate(waiting))
            start, waiting = stop, []
        stop += width
        if width <= columns:
            waiting.append(np.tile(units, tensor.positions))
            continue
        step = max(1, columns // tensor.positions)
        for first in range(0, tensor.units, step):
            some = units[first : first + step]
            narrow = tensor, first, first + len(some)
            yield _Block(start, stop, np.tile(some, tensor.positions), narrow)
        start = stop
    if waiting:
        yield _Block(start, stop, np.concatenate(waiting))
