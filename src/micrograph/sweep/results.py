"""From a finished tally to the results of each unit."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from micrograph.sweep.tally import Tally, class_means
from micrograph.sweep.top import NONE, Top

LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
"""Quantiles of the pictures' maxima between which the bands of examples lie."""

IN_BAND = 4
"""Examples of each band."""

_TOGETHER = 1024
"""Units whose results are made together."""

QUANTILES = (0.5, 0.9, 0.99, 1.0)
CLASSES = 10
"""Classes that are stored for a unit."""


def unit_data(tally: Tally, node: str, units: Sequence[int], seed: int) -> Iterator[dict[str, Any]]:
    """For each of `units` of a node, what docs/techniques/dataset_examples.md describes; without
    the dataset's name and digest."""
    for first in range(0, len(units), _TOGETHER):
        yield from _few_units_data(tally, node, units[first : first + _TOGETHER], seed)


def _few_units_data(
    tally: Tally, node: str, units: Sequence[int], seed: int
) -> Iterator[dict[str, Any]]:
    span = tally.spec.spans()[node]
    before = next(b for name, _, b in tally.spec.nodes if name == node)
    a = tally.arrays
    chosen = span.start + np.asarray(units, dtype=np.int64)
    there = a["profile.there"]
    rows = np.flatnonzero(there)[:, None]
    numbers = tally.spec.profile_numbers()[there]
    maxima, means, at = (a[f"profile.{name}"][rows, chosen] for name in ("top", "mean", "at"))
    max_quantiles = np.quantile(maxima, QUANTILES, axis=0).astype(np.float32)
    max_quantiles[-1] = a["max"][chosen]
    mean_quantiles = np.quantile(means, QUANTILES, axis=0).astype(np.float32)
    classes = class_means(tally, chosen)
    count = a["count"][chosen]
    mean = tally.sum.total(chosen) / count
    sd = np.sqrt(np.maximum(tally.squares.total(chosen) / count - mean**2, 0))
    for k, unit in enumerate(chosen.tolist()):
        low, high, counts = tally.histogram.of(unit)
        yield {
            "top": _examples(tally.top, unit, 1),
            "bottom": _examples(tally.low, unit, -1),
            "bands": _bands(numbers, at[:, k], maxima[:, k], seed, int(units[k])),
            "histogram": {
                "low": low,
                "high": high,
                "counts": counts,
                "of": "values before the activation" if before else "values",
            },
            "mean": _short_float(mean[k]),
            "sd": _short_float(sd[k]),
            "min": _short_float(a["min"][unit]),
            "max": _short_float(a["max"][unit]),
            "share": round(int(a["positive"][unit]) / int(count[k]), 6),
            "positions": int(count[k]),
            "fires": int(a["fires"][unit]),
            "picture_max": _by_quantile(max_quantiles[:, k]),
            "picture_mean": _by_quantile(mean_quantiles[:, k]),
            "classes": _classes(classes[:, k], a["class.counts"]),
        }


def node_arrays(tally: Tally, node: str) -> dict[str, np.ndarray]:
    """The profile: each unit's maximum on each of `numbers` pictures, in 8 bits from `low` (0) to
    `high` (255)."""
    there, span = tally.arrays["profile.there"], tally.spec.spans()[node]
    units = span.stop - span.start
    profile = np.empty((units, int(there.sum())), np.uint8)
    low, high = np.empty((2, units), np.float32)
    for first in range(0, units, _TOGETHER):
        some = slice(first, min(first + _TOGETHER, units))
        values = tally.arrays["profile.top"][:, span][:, some][there].T
        low[some], high[some] = values.min(axis=1), values.max(axis=1)
        scale = np.where(high[some] > low[some], high[some] - low[some], 1)[:, None]
        profile[some] = np.rint((values - low[some, None]) / scale * 255)
    return {
        "profile": profile,
        "low": low,
        "high": high,
        "numbers": tally.spec.profile_numbers()[there].astype(np.int32),
    }


def referred(data: dict[str, Any]) -> set[int]:
    """Numbers of the pictures that the data of a unit name."""
    examples = [*data["top"], *data["bottom"]]
    examples += [example for band in data["bands"] for example in band["examples"]]
    return {number for number, _, _ in examples}


def _examples(top: Top, unit: int, sign: int) -> list[list[Any]]:
    found = zip(top.numbers[unit], top.positions[unit], top.values[unit], strict=True)
    return [[int(n), int(p), _short_float(sign * v)] for n, p, v in found if n != NONE]


def _bands(
    numbers: np.ndarray, at: np.ndarray, maxima: np.ndarray, seed: int, unit: int
) -> list[dict[str, Any]]:
    """Pictures of each level: those of the smallest hash of (seed, unit, number)."""
    edges = np.unique(np.quantile(maxima, LEVELS).astype(np.float32))
    band = np.searchsorted(edges[1:-1], maxima, side="right")
    order = np.lexsort((numbers, _hash(seed, unit, numbers)))
    found = []
    for k in range(max(1, len(edges) - 1)):
        rows = order[band[order] == k][:IN_BAND]
        rows = rows[np.lexsort((numbers[rows], maxima[rows]))]
        if len(rows):
            found.append(
                {
                    "low": _short_float(edges[k]),
                    "high": _short_float(edges[min(k + 1, len(edges) - 1)]),
                    "examples": [
                        [int(numbers[r]), int(at[r]), _short_float(maxima[r])] for r in rows
                    ],
                }
            )
    return found


def _hash(seed: int, unit: int, numbers: np.ndarray) -> np.ndarray:
    """splitmix64 of the three, uint64 (Steele et al., "Fast splittable generators", 2014)."""
    wide = 2**64
    start = ((seed * 0xD1342543DE82EF95 + unit) * 0x9E3779B97F4A7C15) % wide
    x = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = x ^ (x >> np.uint64(31))
    return mixed


def _classes(means: np.ndarray, counts: np.ndarray) -> list[list[Any]]:
    """[class, mean, its share of the sum of all classes' means above zero], largest first."""
    there = np.flatnonzero(counts)
    total = float(np.maximum(means[there], 0).sum()) or 1.0
    order = there[np.lexsort((there, -means[there]))][:CLASSES]
    return [
        [int(c), _short_float(means[c]), round(max(float(means[c]), 0) / total, 4)] for c in order
    ]


def _by_quantile(values: np.ndarray) -> dict[str, float]:
    return {f"{q:g}": _short_float(v) for q, v in zip(QUANTILES, values, strict=True)}


def _short_float(value: Any) -> float:
    """As few digits as tell a float32 from its neighbours."""
    return float(str(np.float32(value)))
