"""Histograms whose range grows with their values."""

from dataclasses import dataclass

import numpy as np

BINS = 128
_HALF = BINS // 2
_TOGETHER = 8192
"""Units that are worked on together: there may be a million."""
_SMALLEST = -120
"""Exponent of the narrowest bins, which an empty histogram has."""


@dataclass
class UnitHistograms:
    """One of each unit: `counts` int64 [unit, BINS] over bins of the width 2^`exponent`, half of
    them below zero. `exponent` is int32 [unit].

    A value out of range doubles the width: neighbours are added, which gives the very counts that
    the wider bins would have had from the start. So no range has to be known before, and parts of
    a sweep merge exactly.
    """

    counts: np.ndarray
    exponent: np.ndarray

    def reach(self, largest: np.ndarray) -> None:
        """Make room for values up to `largest` [unit] in either direction."""
        # frexp: largest < 2^power, which is half of all bins of the width 2^(power - 6).
        power = np.frexp(largest.astype(np.float64))[1]
        needed = np.where(largest > 0, power - (_HALF.bit_length() - 1), _SMALLEST)
        self._widen(needed.astype(np.int32))

    def add(self, values: np.ndarray, units: np.ndarray) -> None:
        """`values` float32 [picture, n], the n-th of the unit `units[n]`; room is made for them.
        Units side by side take less memory."""
        first, last = int(units.min()), int(units.max())
        with np.errstate(over="ignore"):  # of an empty histogram the bins are narrow beyond measure
            scaled = values * self._scale(units)
        if not -_HALF < scaled.min(initial=0) <= scaled.max(initial=0) < _HALF:
            reach = np.zeros(len(self.exponent), np.float32)
            np.maximum.at(reach, units, np.abs(values).max(axis=0))
            self.reach(reach)
            scaled = values * self._scale(units)
        # Too small for float32 now, but still below zero.
        vanished = (scaled == 0) & (values < 0) if (self.exponent[units] > 0).any() else None
        np.floor(scaled, out=scaled)
        bins = scaled.astype(np.intp)
        if vanished is not None:
            bins -= vanished
        bins += (units - first).astype(np.intp) * BINS + _HALF
        counts = self.counts[first : last + 1]
        counts += np.bincount(bins.reshape(-1), minlength=counts.size).reshape(-1, BINS)

    def _scale(self, units: np.ndarray) -> np.ndarray:
        """What brings values of units to bins of the width 1."""
        scale: np.ndarray = np.ldexp(np.float32(1), -self.exponent[units])
        return scale

    def merge(self, other: "UnitHistograms") -> None:
        """Counts of another part."""
        theirs = UnitHistograms(other.counts.copy(), other.exponent.copy())
        self._widen(theirs.exponent)
        theirs._widen(self.exponent)
        self.counts += theirs.counts

    def _widen(self, exponent: np.ndarray) -> None:
        for first in range(0, len(exponent), _TOGETHER):
            some = slice(first, first + _TOGETHER)
            UnitHistograms(self.counts[some], self.exponent[some])._widen_few(exponent[some])

    def _widen_few(self, exponent: np.ndarray) -> None:
        # Seven doublings bring everything into the two bins at zero, where it stays.
        steps = np.clip(exponent - self.exponent, 0, _HALF.bit_length())
        np.maximum(self.exponent, exponent, out=self.exponent)
        for step in range(steps.max(initial=0)):
            units = np.flatnonzero(steps > step)
            fine = self.counts[units]
            self.counts[units] = 0
            self.counts[units, _HALF // 2 : _HALF // 2 + _HALF] = fine[:, 0::2] + fine[:, 1::2]

    def of(self, unit: int) -> tuple[float, float, list[int]]:
        """Lower end, upper end and counts of a unit's bins, without the empty ones outside."""
        filled = np.flatnonzero(self.counts[unit])
        first, last = (int(filled[0]), int(filled[-1])) if len(filled) else (_HALF, _HALF)
        width = 2.0 ** int(self.exponent[unit])
        counts = self.counts[unit, first : last + 1].tolist()
        return (first - _HALF) * width, (last + 1 - _HALF) * width, counts
