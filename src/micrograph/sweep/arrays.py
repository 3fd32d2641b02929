"""Arrays in a safetensors file that need no second copy of them: a tally may take gigabytes."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from micrograph.weights.formats import RawTensor, write_safetensors

_KINDS = {"float32": "F32", "int32": "I32", "int64": "I64", "bool": "BOOL"}
_DTYPES = {short: dtype for dtype, short in _KINDS.items()}
_TOGETHER = 1 << 22
"""Numbers of a stored array that are read together, about: 32 MB at most."""


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays, in C order, whole or not at all. Raises Unavailable when it cannot be done."""
    raw = {
        name: RawTensor(
            _KINDS[str(a.dtype)], a.shape, memoryview(a.reshape(-1).view(np.uint8).data)
        )
        for name, a in arrays.items()
    }
    write_safetensors(path, raw, metadata)


class StoredArrays(Mapping[str, np.ndarray]):
    """The arrays of a sound file, each read when it is asked for, and every time anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            self._header = json.loads(file.read(length))
        self._header.pop("__metadata__", None)
        self._first = 8 + length

    def __getitem__(self, name: str) -> np.ndarray:
        return self._rows(name, 0, self._header[name]["shape"][0])

    def blocks(self, name: str) -> Iterator[tuple[slice, np.ndarray]]:
        """An array, as many of its rows at a time as `_TOGETHER` says, and where they stand."""
        rows, *shape = self._header[name]["shape"]
        together = max(1, _TOGETHER // max(1, math.prod(shape)))
        for first in range(0, rows, together):
            some = slice(first, min(first + together, rows))
            yield some, self._rows(name, some.start, some.stop)

    def _rows(self, name: str, start: int, stop: int) -> np.ndarray:
        about = self._header[name]
        _, *shape = about["shape"]
        dtype, row = np.dtype(_DTYPES[about["dtype"]]), math.prod(shape)
        begin = self._first + about["data_offsets"][0] + start * row * dtype.itemsize
        found = np.fromfile(self._path, dtype, (stop - start) * row, offset=begin)
        return found.reshape(stop - start, *shape)  # ValueError where the file became shorter

    def dtype(self, name: str) -> str:
        """The type of an array; "" for one that tallies do not have."""
        return _DTYPES.get(self._header[name]["dtype"], "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._header)

    def __len__(self) -> int:
        return len(self._header)


def blocks(arrays: Mapping[str, np.ndarray], name: str) -> Iterator[tuple[slice, np.ndarray]]:
    """An array in blocks of rows, and where they stand; in one, where it is in memory already."""
    if isinstance(arrays, StoredArrays):
        yield from arrays.blocks(name)
    else:
        yield slice(None), arrays[name]
