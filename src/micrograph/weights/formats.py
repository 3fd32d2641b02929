"""Weights files as data: safetensors read and written strictly, without torch, running nothing.

A safetensors file is a header length (8 bytes, little endian), a JSON header that gives each tensor
its dtype, shape and place, and one buffer. The reader accepts exactly what the format's description
allows: places in bounds, without overlap and without holes.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micrograph.errors import BadInput, Unavailable, short
from micrograph.files import write_atomically

ITEM_SIZE = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
    "U16": 2,
    "U32": 4,
    "U64": 8,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "C64": 8,
}
"""Bytes per element of the dtypes that we read, by the name that safetensors gives them."""

LONGEST_HEADER = 100_000_000
MOST_TENSORS = 20_000
"""In one file; the largest networks for pictures have some thousand, a training checkpoint a few
times as many. More would be refused only after a long time, if they were all made first."""
LONGEST_NAME = 4096
"""Letters in the name of a tensor."""


class WeightsError(BadInput):
    """A weights file that cannot be used: damaged, of another form, or of another model."""


@dataclass(frozen=True)
class RawTensor:
    """A tensor as stored: dtype in safetensors' words; elements little endian, in C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


Tensors = Mapping[str, RawTensor]


def digest_of(tensors: Tensors) -> str:
    """SHA-256 of the content: for each tensor by name: `["name","dtype",[shape]]\\n`, its bytes.

    The order of tensors in a file, its metadata and padding do not matter. 64 hex digits.
    """
    sha = hashlib.sha256()
    for name in sorted(tensors):
        t = tensors[name]
        head = json.dumps([name, t.dtype, list(t.shape)], separators=(",", ":"))
        sha.update(head.encode() + b"\n")
        sha.update(t.data)
    return sha.hexdigest()


def read_safetensors(path: Path) -> dict[str, RawTensor]:
    """The tensors of a safetensors file, as views into one buffer.

    Raises WeightsError when the file is damaged, Unavailable when it cannot be read.
    """
    return parse_safetensors(memoryview(read_bytes(path)), path)


def parse_safetensors(data: memoryview, path: Path) -> dict[str, RawTensor]:
    """The tensors of a safetensors file's content. Raises WeightsError, naming `path`."""

    def damaged(what: str) -> WeightsError:
        return WeightsError(
            f"{path} is no sound safetensors file: {what}; get the file again or check its source"
        )

    if len(data) < 8:
        raise damaged(f"it has {len(data)} bytes, expected a header length in the first 8")
    length = int.from_bytes(data[:8], "little")
    if length > min(LONGEST_HEADER, len(data) - 8):
        if bytes(data[:1]) in (b"P", b"\x80"):  # a zip archive, a pickle
            raise WeightsError(
                f"{path} is of another form than safetensors; `micrograph weights import MODEL "
                f"{path}` converts files of other forms"
            )
        raise damaged(f"its header claims {length} bytes, the file holds {len(data) - 8} after it")
    try:
        header = json.loads(bytes(data[8 : 8 + length]), object_pairs_hook=_HeaderObjects(damaged))
    except (ValueError, RecursionError) as error:
        raise damaged(f"its header is not readable JSON ({str(error)[:80]})") from None
    if not isinstance(header, dict):
        raise damaged("its header is no JSON object")
    buffer = data[8 + length :]
    header.pop("__metadata__", None)
    entries = {name: _entry(name, given, damaged) for name, given in header.items()}
    end = 0
    for name, (_, _, first, last) in sorted(entries.items(), key=lambda e: (e[1][2], e[1][3])):
        if first != end:
            raise damaged(
                f"tensor {short(name)} starts at {first}, expected {end} (overlap or hole)"
            )
        end = last
    if end != len(buffer):
        raise damaged(f"its tensors take {end} bytes, the file holds {len(buffer)}")
    return {
        name: RawTensor(dtype, shape, buffer[first:last])
        for name, (dtype, shape, first, last) in entries.items()
    }


class _HeaderObjects:
    """Makes the objects of a header as they are met. Raises ValueError for a name that stands
    twice, what `damaged` gives for one that is too long, and as soon as there are too many objects:
    a tensor is one."""

    def __init__(self, damaged: Callable[[str], WeightsError]) -> None:
        self._damaged = damaged
        self._left = MOST_TENSORS + 2
        """Beside the tensors, the header itself and the metadata."""

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0 or len(pairs) > MOST_TENSORS + 1:
            raise self._damaged(f"it holds more than {MOST_TENSORS} tensors")
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise ValueError(f"name {twice[:60]!r} stands twice")
        if any(len(name) > LONGEST_NAME for name in found):
            raise self._damaged(f"a name in it is longer than {LONGEST_NAME} letters")
        return found


def _is_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(v) is int and 0 <= v < 2**63 for v in value)


def _entry(name: str, given: object, damaged: Any) -> tuple[str, tuple[int, ...], int, int]:
    """Dtype, shape, first and last byte of one header entry."""
    if not isinstance(given, dict) or not {"dtype", "shape", "data_offsets"} <= given.keys():
        raise damaged(f"tensor {short(name)} lacks dtype, shape or data_offsets")
    dtype, shape, place = given["dtype"], given["shape"], given["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_SIZE:
        known = ", ".join(ITEM_SIZE)
        raise damaged(f"tensor {short(name)} has dtype {short(dtype)}; this reader knows {known}")
    if not _is_sizes(shape) or not _is_sizes(place) or len(place) != 2:
        raise damaged(
            f"tensor {short(name)} has shape {str(shape)[:80]} at {str(place)[:80]}, expected "
            "whole numbers"
        )
    first, last = place
    if last - first != math.prod(shape) * ITEM_SIZE[dtype]:
        raise damaged(
            f"tensor {short(name)} of shape {str(shape)[:80]} in {dtype} has {last - first} bytes"
        )
    return dtype, tuple(shape), first, last


def write_safetensors(path: Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """Write a safetensors file: complete under its name, or not at all.

    The bytes depend on the arguments only. Raises Unavailable when it cannot be written.
    """
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    at = 0
    for name in sorted(tensors):
        t = tensors[name]
        header[name] = {
            "dtype": t.dtype,
            "shape": list(t.shape),
            "data_offsets": [at, at + len(t.data)],
        }
        at += len(t.data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    parts = [len(text).to_bytes(8, "little"), text, *(tensors[n].data for n in sorted(tensors))]
    write_atomically(path, parts)


def read_bytes(path: Path) -> bytes:
    """The file's content. Raises Unavailable, saying why, when it cannot be read."""
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise Unavailable(f"cannot read {path}: it is a pipe or a device, expected a file")
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror or error}") from None
