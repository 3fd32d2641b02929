"""A unit's nearest neighbours: units that fire on the same pictures, and units of like weights.

By profile: the correlation (Pearson) between the largest activations of two units on each of the
pictures that a sweep of `dataset_examples` looked at, in one model and across models that looked at
the same dataset. The search is exact. By weights: what the technique `similar` stored.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from micrograph.atlas import Reading
from micrograph.graph import parts_of

if TYPE_CHECKING:
    import numpy as np

FEWEST = 32
"""Pictures in common below which a correlation says too little to be shown."""

_CHUNK = 1024
_WEIGHTS = {
    "weights": "cosine of incoming weights, in the same branch",
    "outgoing": "cosine of outgoing weights",
}


@dataclass(frozen=True)
class Neighbour:
    """Another unit and how alike it is, at most 1."""

    model: str
    node: str
    unit: int
    value: float


@dataclass(frozen=True)
class NearestUnits:
    """Units like one unit, most alike first. `method` says what `value` means.

    `dataset` is the digest of the pictures compared on, "" for weights; `pictures` their number.
    """

    kind: str
    method: str
    units: list[Neighbour]
    dataset: str = ""
    pictures: int = 0


@dataclass(frozen=True)
class Profiles:
    """What a sweep left of one node: uint8 [unit, picture] and the pictures' numbers, int32.

    A unit's bytes are its largest activations on a linear scale of its own, and a correlation does
    not depend on scale or offset: they need not be turned back into activations.
    """

    node: str
    values: "np.ndarray"
    numbers: "np.ndarray"

    @cached_property
    def moments(self) -> tuple["np.ndarray", "np.ndarray"]:
        """Mean and length of the centred profile of each unit, float32 [unit]."""
        import numpy as np

        values = self.values
        mean = values.mean(1, dtype=np.float64)
        square = np.array([float(np.dot(v, v)) for v in values.astype(np.float32)])
        length = np.sqrt(np.maximum(square - values.shape[1] * mean**2, 0))
        return mean.astype(np.float32), length.astype(np.float32)

    def only(self, numbers: "np.ndarray") -> "Profiles":
        """The same for fewer pictures, all of which are there, in the order of `numbers`."""
        import numpy as np

        order = np.argsort(self.numbers)
        places = order[np.searchsorted(self.numbers, numbers, sorter=order)]
        return Profiles(self.node, self.values[:, places], numbers)

    def correlations(self, profile: "np.ndarray") -> "np.ndarray":
        """Of every unit with `profile`, float32 [unit]; NaN for units that are always the same."""
        import numpy as np

        centred = profile.astype(np.float32) - np.float32(profile.mean(dtype=np.float64))
        mean, length = self.moments
        size = float(np.linalg.norm(centred))
        product = np.concatenate(
            [
                self.values[k : k + _CHUNK].astype(np.float32) @ centred
                for k in range(0, len(self.values), _CHUNK)
            ]
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            found: np.ndarray = (product - mean * centred.sum()) / (length * size)
        found[(length < 1e-3) | (size < 1e-3)] = np.nan
        np.clip(found, -1, 1, out=found)
        return found


def by_profile(
    atlas: Reading, node: str, unit: int, others: Sequence[Reading] = (), count: int = 12
) -> list[NearestUnits]:
    """Units that fire on the same pictures as `node`/`unit` of `atlas`, dataset by dataset.

    First those of the model itself (kind "profile"), then those of `others` (kind "models"), as far
    as they looked at the same dataset; what nobody can answer is left out.
    """
    found = []
    for digest, blocks in profiles_of(atlas).items():
        mine = blocks.get(node)
        if mine is None or unit >= len(mine.values):
            continue
        itself = _itself(atlas, node, unit)
        own = _nearest(atlas, blocks, mine, unit, count, itself)
        if own is not None:
            found.append(NearestUnits("profile", _method(own[1]), own[0], digest, own[1]))
        foreign: list[Neighbour] = []
        fewest = len(mine.numbers)
        for other in others:
            if other.model.id == atlas.model.id:
                continue
            there = _nearest(other, profiles_of(other).get(digest, {}), mine, unit, count)
            if there is not None:
                foreign += there[0]
                fewest = min(fewest, there[1])
        if foreign:
            foreign.sort(key=lambda n: -n.value)
            found.append(NearestUnits("models", _method(fewest), foreign[:count], digest, fewest))
    return found


def by_weights(atlas: Reading, node: str, unit: int, count: int = 12) -> list[NearestUnits]:
    """Units of the same node with like weights, as far as the technique `similar` was run."""
    found = []
    for variant, method in _WEIGHTS.items():
        arrays = atlas.arrays(node, None, "similar", variant)
        if "near" not in arrays or "cosine" not in arrays or unit >= len(arrays["near"]):
            continue
        pairs = zip(arrays["near"][unit], arrays["cosine"][unit], strict=True)
        known = range(atlas.nodes[node].units)
        units = [
            Neighbour(atlas.model.id, node, int(other), float(value))
            for other, value in pairs
            if int(other) in known
        ]
        if units:
            found.append(NearestUnits(variant, method, units[:count]))
    return found


def _method(pictures: int) -> str:
    return f"correlation of the largest activations on {pictures} pictures"


def _nearest(
    atlas: Reading,
    blocks: Mapping[str, Profiles],
    mine: Profiles,
    unit: int,
    count: int,
    itself: Mapping[str, int] = MappingProxyType({}),
) -> tuple[list[Neighbour], int] | None:
    """The units of `blocks` that correlate best with a unit of `mine`, on how many pictures.

    `itself` (node to unit) is left out.
    """
    import numpy as np

    inside = parts_of(atlas.nodes)
    found: list[Neighbour] = []
    fewest = len(mine.numbers)
    for node, block in blocks.items():
        if inside.get(node, ("", 0))[0] in blocks:
            continue  # a branch, whose units are seen again in the concatenation
        profile = mine.values[unit]
        if not np.array_equal(block.numbers, mine.numbers):
            common = np.intersect1d(block.numbers, mine.numbers)
            if len(common) < FEWEST:
                continue
            block, profile = block.only(common), mine.only(common).values[unit]
            fewest = min(fewest, len(common))
        if len(block.numbers) < FEWEST:
            continue
        values = block.correlations(profile)
        if node in itself:
            values[itself[node]] = np.nan
        known = np.flatnonzero(np.isfinite(values))
        best = known[np.argsort(-values[known], kind="stable")[:count]]
        found += [Neighbour(atlas.model.id, node, int(u), float(values[u])) for u in best]
    if not found:
        return None
    found.sort(key=lambda n: -n.value)
    return found[:count], fewest


def _itself(atlas: Reading, node: str, unit: int) -> dict[str, int]:
    """A unit, and the unit of a concatenation that it becomes, by node."""
    whole, first = parts_of(atlas.nodes).get(node, ("", 0))
    return {whole: first + unit, node: unit}


class _Cache:
    """Profiles by atlas file and its state; beyond `most` bytes the least used are dropped."""

    def __init__(self, most: int = 256 << 20) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[Any, dict[str, dict[str, Profiles]]]] = OrderedDict()

    def profiles(self, part: Any) -> dict[str, dict[str, Profiles]]:
        """What `part` (an Atlas) holds: by dataset digest, then by node."""
        state = tuple(_state(part.path)) + tuple(_state(Path(f"{part.path}-wal")))
        with self._lock:
            kept = self._kept.get(part.path)
            if kept is None or kept[0] != state:
                kept = self._kept[part.path] = (state, _read(part))
            self._kept.move_to_end(part.path)
            while len(self._kept) > 1 and self._bytes() > self.most:
                self._kept.popitem(last=False)
            return kept[1]

    def _bytes(self) -> int:
        return sum(
            block.values.nbytes
            for _, found in self._kept.values()
            for blocks in found.values()
            for block in blocks.values()
        )


_CACHE = _Cache()


def profiles_of(atlas: Reading) -> dict[str, dict[str, Profiles]]:
    """Of all files of a model together; the first that has a node has the word."""
    merged: dict[str, dict[str, Profiles]] = {}
    for part in getattr(atlas, "parts", (atlas,)):
        for digest, blocks in _CACHE.profiles(part).items():
            merged[digest] = blocks | merged.get(digest, {})
    return merged


def _state(path: Path) -> Iterator[int]:
    try:
        status = os.stat(path)
    except OSError:
        return
    yield from (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _read(part: Reading) -> dict[str, dict[str, Profiles]]:
    found: dict[str, dict[str, Profiles]] = {}
    swept = {(c.node, c.variant) for c in part.counts() if c.technique == "dataset_examples"}
    for node, variant in sorted(swept):
        rows = part.visualizations(node, None, "dataset_examples")
        row = next((v for v in rows if v.variant == variant), None)
        arrays = part.arrays(node, None, "dataset_examples", variant)
        if row is None or not _sound(arrays, part.nodes[node].units):
            continue
        digest = row.data.get("dataset") or row.recipe.get("dataset")
        if isinstance(digest, str):
            block = Profiles(node, arrays["profile"], arrays["numbers"])
            found.setdefault(digest, {})[node] = block
    return found


def _sound(arrays: Mapping[str, "np.ndarray"], units: int) -> bool:
    """Whether a file has what it should: it may be somebody else's."""
    profile, numbers = arrays.get("profile"), arrays.get("numbers")
    return (
        profile is not None
        and numbers is not None
        and numbers.ndim == 1
        and profile.dtype.name == "uint8"
        and profile.shape == (units, len(numbers))
    )
