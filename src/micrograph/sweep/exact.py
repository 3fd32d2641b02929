"""Sums that are the same to the last bit in any order and grouping."""

import numpy as np

_BITS = 52
_LARGEST = 2.0**62


class ExactSum:
    """Sums of many values at once, as integers and 52 binary places (2.2e-16) behind them.

    Integers add up without rounding, so parts of a sweep can be cut and merged at will. A value
    beyond 2^62 counts as that.
    """

    def __init__(self, whole: np.ndarray, part: np.ndarray) -> None:
        """On two arrays int64 of the same shape, zero for an empty sum; they are changed."""
        self.whole, self.part = whole, part

    def add(self, values: np.ndarray) -> None:
        """One value, float64, to each sum."""
        values = np.clip(values, -_LARGEST, _LARGEST)
        floor = np.floor(values)
        self._carry(floor.astype(np.int64), ((values - floor) * 2.0**_BITS).astype(np.int64))

    def merge(self, other: "ExactSum") -> None:
        """The sums of another part."""
        self._carry(other.whole, other.part)

    def total(self, of: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Those `of` some, or all, as float64."""
        total: np.ndarray = self.whole[of] + self.part[of] / 2.0**_BITS
        return total

    def _carry(self, whole: np.ndarray, part: np.ndarray) -> None:
        self.part += part
        self.whole += whole + (self.part >> _BITS)
        self.part &= (1 << _BITS) - 1
