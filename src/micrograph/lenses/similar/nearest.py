"""The nearest units of each unit among those of one file, worked out once for an index.

A page then reads no profiles, unless units of other models are to be compared or what is kept does
not go far enough down.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from micrograph.atlas import Reading
from micrograph.atlas.concatenations import concatenations
from micrograph.atlas.merged import Merged
from micrograph.atlas.remembered import Remembered
from micrograph.lenses.similar.profiles import (
    DATASETS_KEPT_AS,
    Nodes,
    Profiles,
    profiles_to_pack,
)

if TYPE_CHECKING:
    import numpy as np

KEPT_AS = "nearest-1"
"""The name under which an index keeps what `pack` makes of a file."""
DEPTH = 24
"""Units that are kept of each; a row of a page has half as many."""
MOST_PRODUCTS = 10**11
"""Products of two bytes beyond which nothing is worked out: 10,000 units on 1,000 pictures."""
_MARGIN = 1e-3
"""Far more than two ways to add up one correlation differ by."""
_ROWS = 256
"""Units that are compared with all others at a time: 8 MB with 8,000."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """Of each unit that a file has a profile of, on one dataset, the units nearest to it: their
    rows, int32 [unit, DEPTH], itself among them, and the correlations, float32, most first, NaN
    where there are no more. `places` has the first row and the number of units of each node; units
    of `hidden` nodes are near to none."""

    pictures: int
    places: Mapping[str, tuple[int, int]]
    hidden: frozenset[str]
    rows: "np.ndarray"
    values: "np.ndarray"

    @cached_property
    def _firsts(self) -> tuple[list[int], list[str]]:
        order = sorted((first, node) for node, (first, _) in self.places.items())
        return [first for first, _ in order], [node for _, node in order]

    def has(self, node: str, unit: int) -> bool:
        """Whether there is a profile of a unit."""
        return node in self.places and unit < self.places[node][1]

    def of(
        self, node: str, unit: int, count: int, itself: Mapping[str, int]
    ) -> list[tuple[str, int, float]] | None:
        """The `count` units nearest to one, most first, as node, unit and correlation, without
        `itself` (unit by node); None where there may be nearer ones than those that are kept."""
        row = self.places[node][0] + unit
        pairs = list(zip(self.rows[row].tolist(), self.values[row].tolist(), strict=True))
        last = pairs[-1][1]
        firsts, names = self._firsts
        found: list[tuple[str, int, float]] = []
        for there, value in pairs:
            if value != value or len(found) == count:  # NaN
                break
            place = bisect_right(firsts, there) - 1
            if itself.get(names[place]) != there - firsts[place]:
                found.append((names[place], there - firsts[place], value))
        if last != last:
            return found
        return found if len(found) == count and found[-1][2] - _MARGIN > last else None


_KNOWN: Remembered[dict[str, Nearest | None]] = Remembered(
    6 << 20, lambda found: sum(one.rows.nbytes * 2 for one in found.values() if one) + 1000
)
_DATASETS: Remembered[frozenset[str]] = Remembered(4096)


def nearest_of(atlas: Reading) -> dict[str, Nearest | None] | None:
    """By the digest of each dataset that a model has profiles on, what an index keeps: None where
    it does not say all, and the profiles have to be searched. None where there is no index that
    knows the files of the model."""
    found = _KNOWN.find(atlas, None)
    if found is not None:
        return found
    packed = _kept(atlas, KEPT_AS)
    if packed is None:
        return None
    try:
        return _KNOWN.get(atlas, None, lambda: _joined(atlas, packed))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # another program's file: the atlas decides


def profiled_datasets(atlas: Reading) -> frozenset[str] | None:
    """The digests of those datasets; None where no index knows."""
    found = _DATASETS.find(atlas, None)
    if found is not None:
        return found
    packed = _kept(atlas, DATASETS_KEPT_AS)
    if packed is None:
        return None
    return _DATASETS.get(
        atlas, None, lambda: frozenset(digest for one in packed for digest in one.decode().split())
    )


def _kept(atlas: Reading, name: str) -> list[bytes] | None:
    """What an index keeps under a name of every file of a model."""
    if not isinstance(atlas, Merged) or atlas.index is None or not atlas.states:
        return None
    found = []
    for part in atlas.parts:
        packed = atlas.index.stored_value(part.path, atlas.states[part.path], name)
        if packed is None:
            return None
        found.append(packed)
    return found


def _joined(atlas: Reading, packed: list[bytes]) -> dict[str, Nearest | None]:
    found: dict[str, Nearest | None] = {}
    for one in packed:
        for digest, near in unpack(one).items():
            found[digest] = None if digest in found or not _fits(atlas, near) else near
    return found


def _fits(atlas: Reading, near: Nearest | None) -> bool:
    """Whether the same nodes are branches among all files of a model as in the one file."""
    return near is not None and _branches(atlas, set(near.places)) == near.hidden


def _branches(atlas: Reading, there: set[str]) -> frozenset[str]:
    """Those whose concatenation is there too: pages show no unit of them."""
    parts = concatenations(atlas)
    return frozenset(node for node in there if parts.get(node, ("", 0))[0] in there)


def pack_datasets(part: Reading) -> bytes:
    """The digests of the datasets that a file has profiles on, with spaces between."""
    return " ".join(profiles_to_pack(part)).encode()


def pack(part: Reading) -> bytes:
    """The nearest units of one file for an index: a line of JSON, then the arrays one after
    another."""
    head, data = [], []
    for digest, nodes in profiles_to_pack(part).items():
        near = _nearest(part, nodes)
        places = {node: (p.first, len(p.values)) for node, p in nodes.items()}
        pictures = len(next(iter(nodes.values())).numbers)
        head.append([digest, pictures, places, sorted(near[0]) if near else None])
        data += [array.tobytes() for array in near[1:]] if near else []
    return b"".join([json.dumps(head).encode(), b"\n", *data])


def unpack(packed: bytes) -> dict[str, Nearest | None]:
    """The reverse of `pack`. Raises ValueError, KeyError or TypeError for anything else."""
    import numpy as np

    line, _, _ = packed.partition(b"\n")
    at = len(line) + 1
    found: dict[str, Nearest | None] = {}
    for digest, pictures, places, hidden in json.loads(line):
        found[digest] = None
        if hidden is None:
            continue
        units = sum(count for _, count in places.values())
        arrays: list[Any] = []
        for dtype in (np.int32, np.float32):
            arrays.append(np.frombuffer(packed, dtype, units * DEPTH, at).reshape(units, DEPTH))
            at += arrays[-1].nbytes
        rows, values = arrays
        if rows.size and not 0 <= rows.min() <= rows.max() < units:
            raise ValueError("a unit is near to one that there is not")
        named = {node: (first, count) for node, (first, count) in places.items()}
        if sorted(named.values()) != _one_after_another(named):
            raise ValueError("nodes that do not lie one after another")
        found[digest] = Nearest(pictures, named, frozenset(hidden), rows, values)
    if at != len(packed):
        raise ValueError("more or less than what was packed")
    return found


def _one_after_another(places: Mapping[str, tuple[int, int]]) -> list[tuple[int, int]]:
    """Where nodes of so many units begin, in the order in which they lie."""
    counts = [count for _, count in sorted(places.values())]
    return list(zip(accumulate([0, *counts]), counts, strict=False))


def _nearest(
    part: Reading, nodes: Nodes
) -> tuple[frozenset[str], "np.ndarray", "np.ndarray"] | None:
    """Hidden nodes, rows and correlations of `Nearest`; None where nodes were shown different
    pictures, where there are too many units to compare each with each, or too few to be worth
    it."""
    import numpy as np

    wholes = {id(p.whole): p.whole for p in nodes.values()}
    whole = next(iter(wholes.values()))
    if len(wholes) != 1 or whole is None:
        return None
    units, pictures = whole.values.shape
    if units <= DEPTH or units * units * pictures > MOST_PRODUCTS:
        return None
    hidden = _branches(part, set(nodes))
    shown = np.ones(units, bool)
    for p in nodes.values():
        shown[p.first : p.first + len(p.values)] = p.node not in hidden
    rows = _most_alike(whole, shown)
    values = np.full((units, DEPTH), np.nan, np.float32)
    for unit, known in enumerate(np.isfinite(rows[1])):
        there = rows[0][unit][known]
        if len(there):
            exact = np.array(whole.exactly(there, whole.values[unit]), np.float32)
            order = np.lexsort((there, -exact))
            rows[0][unit] = np.concatenate([there[order], rows[0][unit][~known]])
            values[unit, : len(there)] = exact[order]
    return hidden, rows[0], values


def _most_alike(whole: Profiles, shown: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """The DEPTH rows most like each row, in any order, and how alike about; NaN where there are no
    more. `shown` (bool [unit]) may be near a unit."""
    import numpy as np

    (mean, _), scale = whole.moments, whole.scale
    units = len(whole.values)
    never = ~(shown & np.isfinite(scale))
    rows = np.empty((units, DEPTH), np.int32)
    values = np.empty((units, DEPTH), np.float32)
    for first in range(0, units, _ROWS):
        own = slice(first, first + _ROWS)
        probes = (whole.values[own] - mean[own, None]) * scale[own, None]
        alike = whole.products(probes.T).T
        alike *= scale
        alike[:, never] = -np.inf
        alike[~np.isfinite(scale[own])] = -np.inf
        rows[own] = np.argpartition(alike, -DEPTH, axis=1)[:, -DEPTH:]
        values[own] = np.take_along_axis(alike, rows[own].astype(np.intp), 1)
    values[values == -np.inf] = np.nan
    return rows, values
