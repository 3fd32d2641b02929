"""Profiles: what a sweep of `dataset_examples` stored of units, on which pictures they fire."""

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from micrograph.atlas import Reading
from micrograph.atlas.scan import State, file_state
from micrograph.lenses.dataset_examples.lens import LENS as EXAMPLES
from micrograph.lenses.dataset_examples.lens import SweptNode

if TYPE_CHECKING:
    import numpy as np

KEPT_AS = "profiles-3"
"""The name under which an index keeps what `pack` makes of a file."""
DATASETS_KEPT_AS = "profiled-datasets-1"
"""The name under which an index keeps the digests of the datasets that a file has profiles on."""

_CHUNK = 1 << 17
"""Values that are turned into floats at a time: those then lie in the processor's own memory."""


@dataclass(frozen=True)
class Profiles:
    """What a sweep left of one node: uint8 [unit, picture] and the pictures' numbers, int32.

    A unit's bytes are its largest activations on a linear scale of its own, and a correlation does
    not depend on scale or offset: they need not be turned back into activations.

    `whole`, where it is given, has the rows of all nodes of one file that were shown the same
    pictures, those of this node from row `first` on.
    """

    node: str
    values: "np.ndarray"
    numbers: "np.ndarray"
    whole: "Profiles | None" = None
    first: int = 0

    @cached_property
    def moments(self) -> tuple["np.ndarray", "np.ndarray"]:
        """Mean and length of the centred profile of each unit, float32 [unit]."""
        import numpy as np

        if self.whole is not None:
            mean, length = self.whole.moments
            own = slice(self.first, self.first + len(self.values))
            return mean[own], length[own]
        values = self.values
        mean = values.mean(1, dtype=np.float64)
        square = np.array([float(np.dot(v, v)) for part in self._in_floats() for v in part])
        length = np.sqrt(np.maximum(square - values.shape[1] * mean**2, 0))
        return mean.astype(np.float32), length.astype(np.float32)

    @cached_property
    def scale(self) -> "np.ndarray":
        """One over the length of the centred profile, float32 [unit]; NaN for units that are
        always the same."""
        import numpy as np

        _, length = self.moments
        found: np.ndarray = np.float32(1) / np.where(length < 1e-3, np.float32(np.nan), length)
        return found

    def restricted_to(self, numbers: "np.ndarray") -> "Profiles":
        """The same for fewer pictures, all of which are there, in the order of `numbers`."""
        import numpy as np

        order = np.argsort(self.numbers)
        places = order[np.searchsorted(self.numbers, numbers, sorter=order)]
        return Profiles(self.node, self.values[:, places], numbers)

    def _in_floats(self) -> Iterator["np.ndarray"]:
        """The profiles, some at a time, each time in the same place."""
        import numpy as np

        step = max(1, _CHUNK // max(1, self.values.shape[1]))
        place = np.empty((min(step, len(self.values)), self.values.shape[1]), np.float32)
        for first in range(0, len(self.values), step):
            part = self.values[first : first + step]
            place[: len(part)] = part
            yield place[: len(part)]

    def products(self, vectors: "np.ndarray") -> "np.ndarray":
        """Of every unit's profile with a vector, or the columns of a matrix, float32 [unit]."""
        import numpy as np

        found = np.empty((len(self.values), *vectors.shape[1:]), np.float32)
        first = 0
        for part in self._in_floats():
            np.matmul(part, vectors, out=found[first : first + len(part)])
            first += len(part)
        return found

    def exactly(self, units: "np.ndarray", profile: "np.ndarray") -> list[float]:
        """The correlations of some units with `profile`, to the last figure of float32; no unit may
        be always the same."""
        import numpy as np

        centred = profile - profile.mean(dtype=np.float64)
        theirs = self.values[units].astype(np.float64)
        theirs -= theirs.mean(1, keepdims=True)
        lengths = np.linalg.norm(theirs, axis=1) * np.linalg.norm(centred)
        values = np.clip(theirs @ centred / lengths, -1, 1).astype(np.float32)
        return [float(value) for value in values]

    def correlations(self, profile: "np.ndarray") -> "np.ndarray":
        """Of every unit with `profile`, float32 [unit]; NaN for units that are always the same."""
        import numpy as np

        centred = profile.astype(np.float32) - np.float32(profile.mean(dtype=np.float64))
        mean, length = self.moments
        size = float(np.linalg.norm(centred))
        product = self.products(centred)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: np.ndarray = (product - mean * centred.sum()) / (length * size)
        found[(length < 1e-3) | (size < 1e-3)] = np.nan
        np.clip(found, -1, 1, out=found)
        return found


class Nodes(dict[str, Profiles]):
    """Profiles of one dataset, by node. Of nodes in `near` only those units are worth a look."""

    near: Mapping[str, "np.ndarray"] = MappingProxyType({})

    @cached_property
    def groups(self) -> list[tuple[Profiles, list[Profiles], bool]]:
        """Nodes that lie in one array together, behind the profiles of that whole array, and
        whether they are all of it."""
        found: dict[int, tuple[Profiles, list[Profiles]]] = {}
        for block in self.values():
            whole = block.whole or block
            found.setdefault(id(whole), (whole, []))[1].append(block)
        return [
            (whole, group, sum(len(block.values) for block in group) == len(whole.values))
            for whole, group in found.values()
        ]


def profiles_of(atlas: Reading, dataset: str | None = None) -> dict[str, Nodes]:
    """The profiles in all files of a model, by dataset digest; of each node those of the first
    file that has it. For the sake of one `dataset` those files are left out of which an index knows
    that they have none on it."""
    parts = getattr(atlas, "parts", (atlas,))
    if dataset is not None:
        parts = [part for part in parts if _may_have(atlas, part, dataset)]
    if len(parts) == 1:
        return _CACHE.profiles(atlas, parts[0])
    merged: dict[str, Nodes] = {}
    for part in parts:
        for digest, nodes in _CACHE.profiles(atlas, part).items():
            merged[digest] = Nodes({**nodes, **merged.get(digest, {})})
    return merged


def _may_have(atlas: Any, part: Any, dataset: str) -> bool:
    """Whether there is reason to look into a file for profiles on a dataset."""
    index = getattr(atlas, "index", None)
    if index is None:
        return True
    known = index.stored_value(part.path, _state_of(atlas, part), DATASETS_KEPT_AS)
    return known is None or dataset in known.decode().split()


def _state_of(atlas: Any, part: Any) -> State:
    return getattr(atlas, "states", {}).get(part.path) or file_state(part.path)


MOST_BYTES = 6 << 20
"""Of profiles that are kept, where they are of several files. What is beyond is read again for each
page: of 8,000 units on 1,000 pictures that takes 10 ms."""


class _Cache:
    """Profiles by atlas file and its state; beyond `most` bytes the least used are dropped."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, tuple[State, dict[str, Nodes], int]] = OrderedDict()
        self._size = 0

    def profiles(self, atlas: Any, part: Any) -> dict[str, Nodes]:
        """What `part` (an Atlas) of `atlas` holds: by dataset digest, then by node."""
        state = _state_of(atlas, part)
        with self._lock:
            kept = self._kept.get(part.path)
            if kept is None or kept[0] != state:
                found = _load_profiles(atlas, part, state)
                self._size += _bytes(found) - (kept[2] if kept else 0)
                kept = self._kept[part.path] = (state, found, _bytes(found))
            self._kept.move_to_end(part.path)
            while len(self._kept) > 1 and self._size > self.most:
                self._size -= self._kept.popitem(last=False)[1][2]
            return kept[1]


def _bytes(found: Mapping[str, Nodes]) -> int:
    return sum(p.values.nbytes for nodes in found.values() for p in nodes.values())


_CACHE = _Cache()


def _load_profiles(atlas: Any, part: Any, state: State) -> dict[str, Nodes]:
    """From the index where it has them, else from the file."""
    index = getattr(atlas, "index", None)
    kept = index.stored_value(part.path, state, KEPT_AS) if index else None
    if kept is not None:
        try:
            return unpack(kept)
        except (ValueError, KeyError, TypeError):
            pass  # another program's file, or an outdated one: the atlas decides
    return read_profiles(part)


_TO_PACK: "WeakKeyDictionary[Reading, dict[str, Nodes]]" = WeakKeyDictionary()


def profiles_to_pack(part: Reading) -> dict[str, Nodes]:
    """As `read_profiles`, for an index, which keeps several things that follow from them: read once
    for as long as it has the file open."""
    found = _TO_PACK.get(part)
    if found is None:
        found = _TO_PACK[part] = read_profiles(part)
    return found


def pack(part: Reading) -> bytes:
    """The profiles of one file for an index: a line of JSON, then the arrays one after another."""
    found = profiles_to_pack(part)
    wholes = {id(p.whole): p.whole for nodes in found.values() for p in nodes.values() if p.whole}
    order = list(wholes)
    head = {
        "wholes": [[*w.values.shape, w.numbers.dtype.str] for w in wholes.values()],
        "nodes": [
            [digest, p.node, order.index(id(p.whole)), p.first, len(p.values)]
            for digest, nodes in found.items()
            for p in nodes.values()
        ],
    }
    data = [array.tobytes() for w in wholes.values() for array in (w.values, w.numbers)]
    return b"".join([json.dumps(head).encode(), b"\n", *data])


def unpack(packed: bytes) -> dict[str, Nodes]:
    """The reverse of `pack`. Raises ValueError, KeyError or TypeError for anything else."""
    import numpy as np

    line, _, _ = packed.partition(b"\n")
    head, at = json.loads(line), len(line) + 1

    def array(dtype: Any, *shape: int) -> "np.ndarray":
        nonlocal at
        found = np.frombuffer(packed, np.dtype(dtype), math.prod(shape), at).reshape(shape)
        at += found.nbytes
        return found

    wholes: list[Profiles] = []
    for units, pictures, dtype in head["wholes"]:
        values, numbers = array(np.uint8, units, pictures), array(dtype, pictures)
        wholes.append(Profiles("", values, numbers))
    if at != len(packed):
        raise ValueError("more or less than what was packed")
    found: dict[str, Nodes] = {}
    for digest, node, number, first, units in head["nodes"]:
        found.setdefault(digest, Nodes())[node] = _slice(wholes[number], node, first, units)
    return found


def _slice(whole: Profiles, node: str, first: int, units: int) -> Profiles:
    return Profiles(node, whole.values[first : first + units], whole.numbers, whole, first)


def _in_shared_arrays(nodes: Mapping[str, Profiles]) -> Nodes:
    """The same profiles, in one array for all nodes that were shown the same pictures."""
    import numpy as np

    groups: dict[tuple[str, bytes], list[Profiles]] = {}
    for profiles in nodes.values():
        key = (profiles.numbers.dtype.str, profiles.numbers.tobytes())
        groups.setdefault(key, []).append(profiles)
    joined: dict[str, Profiles] = {}
    for group in groups.values():
        whole = Profiles("", np.concatenate([p.values for p in group]), group[0].numbers)
        first = 0
        for p in group:
            joined[p.node] = _slice(whole, p.node, first, len(p.values))
            first += len(p.values)
    return Nodes({node: joined[node] for node in nodes})


def read_profiles(part: Reading) -> dict[str, Nodes]:
    """The profiles of one file from the file itself, by dataset digest, then by node."""
    found: dict[str, dict[str, Profiles]] = {}
    swept = {(c.node, c.variant) for c in part.counts() if c.technique == EXAMPLES.name}
    for node, variant in sorted(swept):
        rows = part.visualizations(node, None, EXAMPLES.name)
        row = next((v for v in rows if v.variant == variant), None)
        arrays = part.arrays(node, None, EXAMPLES.name, variant)
        if row is None or not _are_valid(arrays, part.nodes[node].units):
            continue
        digest = SweptNode.from_json(row.data, arrays).dataset or row.recipe.get("dataset")
        if isinstance(digest, str):
            block = Profiles(node, arrays["profile"], arrays["numbers"])
            found.setdefault(digest, {})[node] = block
    return {digest: _in_shared_arrays(nodes) for digest, nodes in found.items()}


def _are_valid(arrays: Mapping[str, "np.ndarray"], units: int) -> bool:
    """Whether the arrays of a file have the right form: anybody may have written it."""
    profile, numbers = arrays.get("profile"), arrays.get("numbers")
    return (
        profile is not None
        and numbers is not None
        and numbers.ndim == 1
        and profile.dtype.name == "uint8"
        and profile.shape == (units, len(numbers))
    )
