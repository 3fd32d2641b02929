"""The few statistics that evidence rests on; numpy and the standard library only."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()


def share_at_least(value: float, others: Sequence[float] | np.ndarray) -> float:
    """The one-sided p of a permutation test: how often a control is as large as `value`, which
    itself counts as one of them, (1 + k) / (1 + n). Ties count half, so that under the null p is
    uniform also where many controls are alike."""
    found = np.asarray(others, np.float64)
    found = found[np.isfinite(found)]
    above = (found > value).sum() + 0.5 * (found == value).sum()
    return float((0.5 + above) / (1 + len(found)))


def score(p: float) -> float:
    """The normal score of a one-sided p: 1.64 for 0.05, 0 for 0.5."""
    return _NORMAL.inv_cdf(1 - min(max(p, 1e-6), 1 - 1e-6))


def combined(ps: Sequence[float]) -> float:
    """One p from several by Stouffer's rule, which takes them as independent."""
    z = sum(score(p) for p in ps) / len(ps) ** 0.5
    return 1 - _NORMAL.cdf(z)


def bootstrap(values: np.ndarray, draws: int = 1000, seed: int = 0) -> tuple[float, float]:
    """A 95 % interval of the mean of `values` [picture], by drawing pictures with replacement."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def partial_correlation(x: np.ndarray, y: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Pearson's r of each column of `x` [picture, unit] with `y` [picture], once a linear function
    of the columns of `given` [picture, k] (and a constant) is taken out of both.

    Columns that do not vary beyond `given` get 0.
    """
    basis = np.column_stack([np.ones(len(y)), given])
    q, _ = np.linalg.qr(basis)
    left, right = x - q @ (q.T @ x), y - q @ (q.T @ y)
    size = np.linalg.norm(left, axis=0) * np.linalg.norm(right)
    largest = float(np.linalg.norm(x)) * float(np.linalg.norm(y))
    usable = size > 1e-9 * max(1e-12, largest)
    return np.where(usable, left.T @ right / np.where(usable, size, 1), 0.0)


def ranks(x: np.ndarray) -> np.ndarray:
    """Ranks along the first axis, 0..1; ties share theirs."""
    order = x.argsort(0, kind="stable")
    place = np.empty(x.shape)
    np.put_along_axis(
        place, order, np.arange(len(x), dtype=float).reshape(-1, *[1] * (x.ndim - 1)), 0
    )
    flat, found = x.reshape(len(x), -1), place.reshape(len(x), -1)
    for column in range(flat.shape[1]):
        _, group = np.unique(flat[:, column], return_inverse=True)
        found[:, column] = (np.bincount(group, found[:, column]) / np.bincount(group))[group]
    return place / max(1, len(x) - 1)


def area_under_curve(true: Sequence[float], false: Sequence[float]) -> float:
    """How often a true one ranks above a false one; ties count half."""
    a, b = np.asarray(true, float)[:, None], np.asarray(false, float)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


def share_interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z = _NORMAL.inv_cdf(0.975)
    middle = (hits + z * z / 2) / (of + z * z)
    half = z * (hits * (of - hits) / of + z * z / 4) ** 0.5 / (of + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)
