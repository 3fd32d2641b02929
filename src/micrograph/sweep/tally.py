"""The state of a sweep, for every unit of every node; parts of a sweep can be merged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from micrograph.datasets import Batch
from micrograph.errors import BadInput, Conflict
from micrograph.sweep.arrays import blocks
from micrograph.sweep.histogram import BINS
from micrograph.sweep.look import Bars, Seen
from micrograph.sweep.sampled import SampledTensor, SampleTally
from micrograph.sweep.top import NONE, Top

PROFILE = 1024
"""Pictures, at most, of which each unit's maximum is kept."""

_FIXED = 2.0**24
"""Sums over classes are kept in whole multiples of 1 / this, so that they add up exactly."""


@dataclass(frozen=True)
class Spec:
    """What was swept, and how. Parts with equal specs can be merged.

    `weights` and `dataset` are digests, the former with those of dictionaries that make nodes (+);
    `nodes` are (id, units, whether `before` the activation).
    """

    model: str
    weights: str
    dataset: str
    pictures: int
    classes: int
    batch: int
    largest: int
    smallest: int
    nodes: tuple[tuple[str, int, bool], ...]
    code: str

    @property
    def units(self) -> int:
        """Of all nodes."""
        return sum(units for _, units, _ in self.nodes)

    @property
    def batches(self) -> int:
        """Into which the pictures are divided, always in the same way."""
        return -(-self.pictures // self.batch)

    def spans(self) -> dict[str, slice]:
        """Where each node's units lie in the row of all units."""
        ends = np.cumsum([units for _, units, _ in self.nodes]).tolist()
        return {n: slice(e - u, e) for (n, u, _), e in zip(self.nodes, ends, strict=True)}

    def as_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self) | {"nodes": [list(node) for node in self.nodes]}

    def check(self, other: "Spec") -> None:
        """Raises BadInput, saying what differs, if `other` is not the same."""
        theirs = other.as_dict()
        for name, value in self.as_dict().items():
            if theirs[name] != value:
                raise BadInput(
                    f"parts of different sweeps: {_WORDS.get(name, name)} is {_brief(value)} in "
                    f"one and {_brief(theirs[name])} in another; sweep all parts alike"
                )

    def profile_numbers(self) -> np.ndarray:
        """Pictures of the profile, int64: all, or `PROFILE` evenly spread."""
        count = min(PROFILE, self.pictures)
        numbers: np.ndarray = np.arange(count) * self.pictures // count
        return numbers


def layout(spec: Spec) -> dict[str, tuple[tuple[int, ...], str, float]]:
    """Shape, dtype and first value of each array of a tally."""
    u, c, s = spec.units, spec.classes, min(PROFILE, spec.pictures)
    arrays: dict[str, tuple[tuple[int, ...], str, float]] = {}
    for name, k in (("top", spec.largest), ("low", spec.smallest)):
        arrays[f"{name}.values"] = ((u, k), "float32", -np.inf)
        arrays[f"{name}.numbers"] = ((u, k), "int32", NONE)
        arrays[f"{name}.positions"] = ((u, k), "int32", 0)
    for name in ("sum", "squares"):
        arrays[f"{name}.whole"] = arrays[f"{name}.part"] = ((u,), "int64", 0)
    return arrays | {
        "count": ((u,), "int64", 0),
        "positive": ((u,), "int64", 0),
        "fires": ((u,), "int64", 0),
        "max": ((u,), "float32", -np.inf),
        "min": ((u,), "float32", np.inf),
        "histogram.counts": ((u, BINS), "int64", 0),
        "histogram.exponent": ((u,), "int32", -120),
        "class.sums": ((c, u), "int64", 0),
        "class.counts": ((c,), "int64", 0),
        "profile.there": ((s,), "bool", 0),
        "profile.top": ((s, u), "float32", 0),
        "profile.at": ((s, u), "int32", 0),
        "profile.mean": ((s, u), "float32", 0),
        "done": ((spec.batches,), "bool", 0),
    }


def kept_bytes(spec: Spec) -> int:
    """What a tally takes in memory, from its first batch to its last."""
    arrays = layout(spec).values()
    return sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype, _ in arrays)


class Tally:
    """Accumulators over batches. The result is the same to the last bit in any order and grouping
    of the batches. `skipped` has the reason for each picture that was left out."""

    def __init__(self, spec: Spec, arrays: Mapping[str, np.ndarray] | None = None) -> None:
        self.spec = spec
        self.skipped: dict[int, str] = {}
        self.arrays: Mapping[str, np.ndarray] = arrays or {
            name: np.full(shape, first, dtype)
            for name, (shape, dtype, first) in layout(spec).items()
        }
        a = self.arrays
        self.top = Top(a["top.values"], a["top.numbers"], a["top.positions"])
        self.low = Top(a["low.values"], a["low.numbers"], a["low.positions"])  # of -value
        self._samples = SampleTally(a)
        self.sum, self.squares = self._samples.sum, self._samples.squares
        self.histogram = self._samples.histogram
        self._numbers = spec.profile_numbers()

    def empty(self) -> None:
        """Let go of all that was found, which may be gigabytes; it cannot be worked on any more."""
        self.arrays = {"done": np.zeros(self.spec.batches, bool)}
        del self.top, self.low, self.sum, self.squares, self.histogram, self._samples

    @property
    def done(self) -> np.ndarray:
        """bool [batch]."""
        return self.arrays["done"]

    @property
    def complete(self) -> bool:
        """True if all pictures were looked at."""
        return bool(self.done.all())

    def wants_means(self, batch: Batch) -> bool:
        """True if a picture of the batch belongs to the profile."""
        return bool(np.isin(batch.numbers, self._numbers).any())

    def bars(self, batch: Batch) -> Bars:
        """Beyond which values on a batch are kept, as things are now."""
        first = int(batch.numbers[0])
        return Bars(self.top.bar(first), -self.low.bar(first))

    def add(self, batch: Batch, seen: Seen, sampled: Sequence[SampledTensor]) -> None:
        """What all nodes did on a batch. A picture with a value that is no finite number is left
        out altogether."""
        a = self.arrays
        self.skipped |= batch.problems
        finite = np.isfinite(seen.top) & np.isfinite(seen.low)
        for place in np.flatnonzero(batch.valid & ~finite.all(axis=1)):
            unit = int(np.argmin(finite[place]))
            node = next(n for n, span in self.spec.spans().items() if unit < span.stop)
            number = int(batch.numbers[place])
            self.skipped[number] = f"activations of {node} on it are no finite numbers"
        there = batch.valid & finite.all(axis=1)
        a["done"][batch.index] = True
        if not there.any():
            return
        good = slice(None) if there.all() else there  # a slice copies nothing
        numbers, classes = batch.numbers[good], batch.classes[good]
        top, low, samples = seen.top[good], seen.low[good], seen.samples[good]
        self.top.add(top, numbers, seen.top_at[good])
        self.low.add(-low, numbers, seen.low_at[good])
        np.add(a["fires"], (top > 0).sum(axis=0), out=a["fires"])
        np.maximum(a["max"], top.max(axis=0), out=a["max"])
        np.minimum(a["min"], low.min(axis=0), out=a["min"])
        self._samples.add(samples, sampled)
        for cls, values in zip(classes.tolist(), _fixed(top), strict=True):
            if cls >= 0:
                a["class.sums"][cls] += values
                a["class.counts"][cls] += 1
        if seen.mean is not None:
            rows = np.searchsorted(self._numbers, numbers)
            rows[rows == len(self._numbers)] = 0
            hit = self._numbers[rows] == numbers
            a["profile.there"][rows[hit]] = True
            a["profile.top"][rows[hit]] = top[hit]
            a["profile.at"][rows[hit]] = seen.top_at[good][hit]
            a["profile.mean"][rows[hit]] = seen.mean[good][hit]

    def merge(self, other: "Tally") -> None:
        """Add another part. Raises BadInput for one of something else, Conflict if they overlap."""
        self.spec.check(other.spec)
        if both := np.flatnonzero(self.done & other.done).tolist():
            first = both[0] * self.spec.batch
            raise Conflict(
                f"two parts both hold the pictures from number {first} on; give each part once"
            )
        a, b = self.arrays, other.arrays
        self.top.merge(other.top)
        self.low.merge(other.low)
        self.sum.merge(other.sum)
        self.squares.merge(other.squares)
        self.histogram.merge(other.histogram)
        np.maximum(a["max"], b["max"], out=a["max"])
        np.minimum(a["min"], b["min"], out=a["min"])
        for name in ("count", "positive", "fires", "class.sums", "class.counts"):
            for rows, more in blocks(b, name):
                a[name][rows] += more
        there = b["profile.there"]
        a["profile.there"][there] = True
        for name in ("profile.top", "profile.at", "profile.mean"):
            for rows, theirs in blocks(b, name):
                np.copyto(a[name][rows], theirs, where=there[rows, None])
        np.logical_or(a["done"], b["done"], out=a["done"])
        self.skipped |= other.skipped


_WORDS = {
    "weights": "the digest of the weights",
    "dataset": "the digest of the dataset",
    "code": "the revision of the code",
}


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:20] + "..."


def _fixed(values: np.ndarray) -> np.ndarray:
    """float32 to whole multiples of 1 / `_FIXED`, int64."""
    scaled = np.clip(values.astype(np.float64), -(2.0**36), 2.0**36) * _FIXED
    whole: np.ndarray = np.rint(scaled).astype(np.int64)
    return whole


def class_means(tally: Tally, units: np.ndarray) -> np.ndarray:
    """Mean over each class's pictures of the maximum, float64 [class, unit], for some of all units;
    0 for no picture."""
    counts = np.maximum(tally.arrays["class.counts"], 1)[:, None]
    means: np.ndarray = tally.arrays["class.sums"][:, units] / _FIXED / counts
    return means
