"""Arrays in a safetensors file that need no second copy of them: a tally may take gigabytes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from micrograph.weights.formats import RawTensor, write_safetensors

_KINDS = {"float32": "F32", "int32": "I32", "int64": "I64", "bool": "BOOL"}
_DTYPES = {short: dtype for dtype, short in _KINDS.items()}


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
        about = self._header[name]
        shape = tuple(about["shape"])
        begin, _ = about["data_offsets"]
        dtype = np.dtype(_DTYPES[about["dtype"]])
        count = int(np.prod(shape, dtype=np.int64))
        found = np.fromfile(self._path, dtype, count, offset=self._first + begin)
        return found.reshape(shape)  # ValueError where the file has become shorter

    def dtype(self, name: str) -> str:
        """The type of an array; "" for one that tallies do not have."""
        return _DTYPES.get(self._header[name]["dtype"], "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._header)

    def __len__(self) -> int:
        return len(self._header)
