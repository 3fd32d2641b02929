"""TensorFlow checkpoints by the names of their variables.

Version 2 is an index, a table of names to places (tensor_bundle.proto), and shards with the bytes;
version 1 is one table that holds everything (saved_tensor_slice.proto). Kernels are stored as
[y, x, input, output], matrices as [input, output].
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import torch
from torch import Tensor

from micrograph.weights.formats import MOST_TENSORS
from micrograph.weights.readers.common import Damaged, Tensors, add, tensor, too_many
from micrograph.weights.readers.crc32c import crc32c, masked
from micrograph.weights.readers.protobuf import VARINT, Value, fields, text, whole
from micrograph.weights.readers.sstable import FOOTER, MAGIC, entries
from micrograph.weights.readers.tf_tensor import DTYPES, Budget, shape_of, tensor_of

T = TypeVar("T")
Shard = Callable[[int, int], memoryview]
"""The content of shard i of n. Raises Damaged."""


def looks_like_it(data: memoryview) -> bool:
    """Whether it is a table: a checkpoint of version 1, or the index of one of version 2."""
    return len(data) >= FOOTER and data[-8:] == MAGIC


def read(data: memoryview, shard: Shard) -> Tensors:
    """All numeric variables."""
    table = iter(list(islice(entries(data), MOST_TENSORS + 2)))
    key, head = next(table, (None, memoryview(b"")))
    if key != b"":
        raise Damaged("its table lacks the entry that describes a checkpoint")
    header = [(number, kind, value) for number, kind, value in fields(head)]
    if any(number == 1 and kind != VARINT for number, kind, _ in header):  # metadata of version 1
        return _read_v1(head, _limited(value for _, value in table))
    numbers = {number: whole(value) for number, kind, value in header if kind == VARINT}
    if numbers.get(2, 0) != 0:
        raise Damaged("it was written on a big-endian machine; this reader knows little-endian")
    return _read_v2(_limited(table), numbers.get(1, 0), shard)


def _limited(rows: Iterable[T]) -> list[T]:
    listed = list(rows)
    if len(listed) > MOST_TENSORS:
        raise too_many()
    return listed


@dataclass(frozen=True)
class _TensorEntry:
    name: str
    dtype: int
    shape: tuple[int, ...]
    shard: int
    start: int
    size: int
    crc: int


def _read_v2(table: list[tuple[bytes, memoryview]], shards: int, shard: Shard) -> Tensors:
    places = [_place(key, value) for key, value in table]
    tensors: Tensors = {}
    # In the order of the shards, so that each is read once and no two tensors share bytes.
    number, content, end = -1, memoryview(b""), 0
    for p in sorted(places, key=lambda p: (p.shard, p.start)):
        if not 0 <= p.shard < shards:
            raise Damaged(f"{p.name!r} is in shard {p.shard} of {shards}")
        if p.shard != number:
            number, content, end = p.shard, shard(p.shard, shards), 0
        if not end <= p.start <= p.start + p.size <= len(content):
            raise Damaged(f"{p.name!r} overlaps another tensor or lies outside its shard")
        end = p.start + p.size
        if p.dtype not in DTYPES:
            continue  # strings describe objects, they are no weights
        stored = content[p.start : end]
        if masked(crc32c(stored)) != p.crc:
            raise Damaged(f"{p.name!r} has a wrong checksum")
        add(tensors, p.name, tensor(stored, DTYPES[p.dtype], p.shape))
    return tensors


def _place(key: bytes, data: memoryview) -> _TensorEntry:
    if key.startswith(b"\0"):  # such keys are of slices
        raise Damaged("a variable in it was saved in slices, which this reader does not know")
    name = text(memoryview(key))
    shape: tuple[int, ...] = ()
    crc = 0
    numbers: dict[int, int] = {}
    for number, kind, value in fields(data):
        if number == 2:
            shape = shape_of(value)
        elif number == 6 and not isinstance(value, int):
            crc = int.from_bytes(value, "little")
        elif kind == VARINT:
            numbers[number] = whole(value)
    dtype, shard, start, size = (numbers.get(n, 0) for n in (1, 3, 4, 5))
    return _TensorEntry(name, dtype, shape, shard, start, size, crc)


@dataclass(frozen=True)
class _Kept:
    """A variable of version 1, and the parts of it that were found."""

    name: str
    shape: tuple[int, ...]
    dtype: int
    parts: list[tuple[tuple[slice, ...], Tensor]]


def _read_v1(head: memoryview, values: list[memoryview]) -> Tensors:
    kept: dict[str, _Kept] = {}
    for number, _, meta in fields(head):
        if number == 1:
            for inner, _, entry in fields(meta):
                if inner == 1:
                    known = _described(entry)
                    kept[known.name] = known
                    if len(kept) > MOST_TENSORS:
                        raise too_many()
    for value in values:
        for number, _, saved in fields(value):
            if number == 2:
                _add_part(saved, kept)
    tensors: Tensors = {}
    for variable in kept.values():
        if variable.parts:
            add(tensors, variable.name, _joined(variable))
    return tensors


def _described(data: Value) -> _Kept:
    """A SavedSliceMeta."""
    parts = {n: v for n, _, v in fields(data)}
    shape = shape_of(parts.get(2, memoryview(b"")))
    return _Kept(text(parts.get(1, 0)), shape, whole(parts.get(3, 0)), [])


def _add_part(saved: Value, kept: dict[str, _Kept]) -> None:
    """A SavedSlice; of variables that are no weights nothing is kept."""
    fields_of = {n: v for n, _, v in fields(saved)}
    name = text(fields_of.get(1, 0))
    if name not in kept:
        raise Damaged(f"{name[:80]!r} has values but no shape")
    region = _region(fields_of.get(2, memoryview(b"")), kept[name].shape)
    shape = tuple(s.stop - s.start for s in region)
    values = fields_of.get(3, memoryview(b""))
    found = tensor_of(values, Budget(0), shape, kept[name].dtype)
    if found is not None:
        kept[name].parts.append((region, found))


def _region(data: Value, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """A TensorSliceProto: for each dimension its start and length, or nothing for all of it."""
    extents = [e for n, _, e in fields(data) if n == 1] or [memoryview(b"")] * len(shape)
    if len(extents) != len(shape):
        raise Damaged("a slice has another number of dimensions than its tensor")
    region = []
    for extent, size in zip(extents, shape, strict=True):
        numbers = {n: whole(v) for n, _, v in fields(extent)}
        start = numbers.get(1, 0)
        stop = start + numbers[2] if 2 in numbers else size
        if not 0 <= start <= stop <= size:
            raise Damaged("a slice lies outside its tensor")
        region.append(slice(start, stop))
    return tuple(region)


def _joined(variable: _Kept) -> Tensor:
    shape, parts = variable.shape, variable.parts
    if len(parts) == 1 and parts[0][1].shape == shape:
        return parts[0][1]
    if sum(part.numel() for _, part in parts) == math.prod(shape):
        joined = torch.zeros(shape, dtype=parts[0][1].dtype)
        filled = torch.zeros(shape, dtype=torch.bool)
        for region, part in parts:
            joined[region] = part.to(joined.dtype)
            filled[region] = True
        if bool(filled.all()):
            return joined
    raise Damaged(f"the slices of {variable.name[:80]!r} do not fill it")
