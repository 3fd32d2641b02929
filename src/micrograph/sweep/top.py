"""The pictures on which each unit is largest."""

from dataclasses import dataclass

import numpy as np

NONE = np.iinfo(np.int32).max
"""Number of a picture in a place that is still free; larger than any, so that it sorts last."""


@dataclass
class Top:
    """The k largest values of each unit, at most one of a picture, with where they were.

    `values` float32 (-inf: free), `numbers` int32 (`NONE`: free), `positions` int32, all [unit, k],
    sorted by falling value, then rising number. A picture has one position, the first of equals.
    That order is total: the result does not depend on how a dataset was cut.
    """

    values: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray

    def bar(self, first: int) -> np.ndarray:
        """float32 [unit]: of the pictures from number `first` on, only values above it are kept."""
        last = self.values[:, -1]
        earlier = first < self.numbers[:, -1]  # of equal values that of the earlier picture is kept
        bar: np.ndarray = np.where(earlier, np.nextafter(last, np.float32(-np.inf)), last)
        return bar

    def add(self, values: np.ndarray, numbers: np.ndarray, positions: np.ndarray) -> None:
        """`values` float32 and `positions` [picture, unit], `numbers` [picture]."""
        # Only what would be kept is sorted; after a while that is rare.
        better = values > self.values[:, -1]
        equal = values == self.values[:, -1]
        better |= equal & (numbers[:, None] < self.numbers[:, -1])
        unit, picture = np.nonzero(better.T)
        if not len(unit):
            return
        units, starts, counts = np.unique(unit, return_index=True, return_counts=True)
        shape = len(units), int(counts.max())
        found = np.full(shape, -np.inf, np.float32), *np.full((2, *shape), NONE, np.int32)
        row = np.repeat(np.arange(len(units)), counts)
        place = np.arange(len(unit)) - np.repeat(starts, counts)
        for new, given in zip(
            found, (values[picture, unit], numbers[picture], positions[picture, unit]), strict=True
        ):
            new[row, place] = given
        self._keep(units, *found)

    def merge(self, other: "Top") -> None:
        """What another part found. It is the same as adding its pictures."""
        every = np.arange(len(self.values))
        self._keep(every, other.values, other.numbers, other.positions)

    def _keep(
        self, units: np.ndarray, values: np.ndarray, numbers: np.ndarray, positions: np.ndarray
    ) -> None:
        values = np.concatenate([self.values[units], values], axis=1)
        numbers = np.concatenate([self.numbers[units], numbers], axis=1)
        positions = np.concatenate([self.positions[units], positions], axis=1)
        order = np.argsort(_key(values, numbers), axis=1)[:, : self.values.shape[1]]
        self.values[units] = np.take_along_axis(values, order, axis=1)
        self.numbers[units] = np.take_along_axis(numbers, order, axis=1)
        self.positions[units] = np.take_along_axis(positions, order, axis=1)


def _key(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """uint64 that sort by falling value, then rising number: one key sorts several times sooner
    than three. A picture comes once, so that positions need not decide."""
    bits = (values + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0, its equal
    falling = np.where(bits >> 31, bits, ~(bits | np.uint32(1 << 31)))
    key: np.ndarray = falling.astype(np.uint64) << np.uint64(32) | numbers.astype(np.uint64)
    return key
