"""Profiles without their means and lengths, of as many units as there are."""

from collections.abc import Iterator

import numpy as np

AT_ONCE = 1 << 24
"""Numbers that are worked on together, about: 128 MB, of which there are a few at a time."""


class Shapes:
    """Profiles [unit, picture] as rows of mean 0 and length 1, float64, made when they are asked
    for: all of them would take twice the memory of the profiles.

    Units that are always the same have none: `alive`, bool [unit], tells the others.
    """

    def __init__(self, profiles: np.ndarray) -> None:
        self._profiles = profiles
        self._rows = max(1, AT_ONCE // max(1, profiles.shape[1]))
        units = len(profiles)
        self._mean, self._length = np.empty((units, 1)), np.empty(units)
        largest = 0.0
        for first in range(0, units, self._rows):
            some = slice(first, first + self._rows)
            self._mean[some] = profiles[some].mean(1, keepdims=True, dtype=np.float64)
            self._length[some] = np.linalg.norm(profiles[some] - self._mean[some], axis=1)
            largest = max(largest, float(np.abs(profiles[some]).max(initial=0)))
        self.alive = self._length > 1e-6 * (1 + largest)
        self._units = np.flatnonzero(self.alive)

    def __len__(self) -> int:
        return len(self._units)

    def __getitem__(self, some: slice | np.ndarray) -> np.ndarray:
        units = self._units[some]
        found: np.ndarray = self._profiles[units] - self._mean[units]
        found /= self._length[units, None]
        return found

    def blocks(self) -> Iterator[slice]:
        """All rows, as many at a time as fit into memory."""
        for first in range(0, len(self), self._rows):
            yield slice(first, min(first + self._rows, len(self)))

    def sum(self) -> np.ndarray:
        """Of all rows."""
        found: np.ndarray = sum((self[some].sum(0) for some in self.blocks()), np.zeros(()))
        return found

    def components(self, most: int) -> np.ndarray:
        """The first principal components, float64 [row, component]."""
        if len(self) <= self._rows:
            shapes = self[:]
            left, scale, _ = np.linalg.svd(shapes - shapes.mean(0), full_matrices=False)
            found: np.ndarray = (left * scale)[:, :most]
            return found
        mean = self.sum() / len(self)
        around = sum((_products(self[some] - mean) for some in self.blocks()), np.zeros(()))
        _, axes = np.linalg.eigh(around)
        axes = axes[:, ::-1][:, :most]
        return np.concatenate([(self[some] - mean) @ axes for some in self.blocks()])


def _products(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = rows.T @ rows
    return found
