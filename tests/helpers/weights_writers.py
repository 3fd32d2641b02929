"""Writers of the original formats, from their descriptions: small files whose content is known."""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FLOAT, DOUBLE, STRING, INT64, HALF = 1, 2, 7, 9, 19
TF_KINDS = {"float32": FLOAT, "float64": DOUBLE, "int64": INT64, "float16": HALF}

Array = NDArray[Any]
Entry = tuple[bytes, bytes]  # key and value


def varint(value: int) -> bytes:
    value %= 2**64
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number: int, value: int | str | bytes | bytearray) -> bytes:
    """A whole number, a text or bytes (also a message) as a field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else bytes(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed(number: int, value: bytes) -> bytes:
    """Bytes of a fixed length: 4 or 8."""
    return varint(number << 3 | {4: 5, 8: 1}[len(value)]) + value


# Caffe


def blob(
    array: ArrayLike, *, legacy: bool = False, packed: bool = True, shape: bool = True
) -> bytes:
    values = np.asarray(array)
    number = 8 if values.dtype == np.float64 else 5
    out = b""
    if legacy:
        sizes = (1,) * (4 - values.ndim) + values.shape
        out += b"".join(field(n + 1, size) for n, size in enumerate(sizes))
    elif shape:
        out += field(7, field(1, b"".join(varint(size) for size in values.shape)))
    if packed:
        return out + field(number, values.tobytes())
    return out + b"".join(fixed(number, v.tobytes()) for v in values.ravel())


def caffemodel(
    layers: Mapping[str, Sequence[ArrayLike]], *, legacy: bool = False, **how: bool
) -> bytes:
    """{name: [blob, ...]} as a NetParameter."""
    out = field(1, "Some net")
    for name, blobs in layers.items():
        if legacy:  # V1LayerParameter
            inner = field(2, "data") + field(3, "top") + field(4, name) + field(5, 4)
            inner += b"".join(field(6, blob(b, legacy=True, **how)) for b in blobs)
            out += field(2, inner)
        else:
            inner = field(1, name) + field(2, "Convolution") + field(3, "data")
            inner += b"".join(field(7, blob(b, **how)) for b in blobs)
            out += field(100, inner)
    return out


# TensorFlow


def tf_shape(shape: Iterable[int]) -> bytes:
    return b"".join(field(2, field(1, size)) for size in shape)


def tensor_proto(array: Array, how: str = "content", shape: Iterable[int] | None = None) -> bytes:
    """`how`: all bytes at once, or "values" one by one."""
    array = np.asarray(array)
    out = field(1, TF_KINDS[str(array.dtype)])
    out += field(2, tf_shape(array.shape if shape is None else shape))
    return out + (field(4, array.tobytes()) if how == "content" else tf_values(array))


def tf_values(array: Array) -> bytes:
    """The repeated field of the right kind, packed."""
    kind = str(array.dtype)
    if kind in ("float32", "float64"):
        return field(5 if kind == "float32" else 6, array.tobytes())
    number = 10 if kind == "int64" else 13
    bits = array.view(np.uint16) if kind == "float16" else array
    return field(number, b"".join(varint(int(v)) for v in bits.ravel()))


def const_node(name: str, proto: bytes) -> bytes:
    attributes = {"dtype": field(6, FLOAT), "value": field(8, proto)}
    out = field(1, name) + field(2, "Const")
    return out + b"".join(field(5, field(1, k) + field(2, v)) for k, v in attributes.items())


def graph_def(constants: Mapping[str, bytes]) -> bytes:
    """{name: TensorProto} as a GraphDef, with a placeholder in front and a library behind."""
    nodes = [field(1, "input") + field(2, "Placeholder")]
    nodes += [const_node(name, proto) for name, proto in constants.items()]
    return b"".join(field(1, node) for node in nodes) + field(4, field(1, 27)) + field(2, b"")


def slow_crc32c(data: bytes) -> int:
    """Bit by bit, from the polynomial."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def stored_crc(data: bytes) -> bytes:
    crc = slow_crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def table_block(entries: Iterable[Entry]) -> bytes:
    out, last = bytearray(), b""
    for key, value in entries:
        shared = next((i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), None)
        shared = min(len(key), len(last)) if shared is None else shared
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        last = key
    return bytes(out) + struct.pack("<II", 0, 1)  # one restart point, at 0


def table(
    entries: Iterable[Entry], *, per_block: int = 2, pack: Callable[[bytes], bytes] | None = None
) -> bytes:
    """A sorted table; `pack` turns a block into its packed form."""
    out, index = bytearray(), []

    def put(block: bytes) -> bytes:
        kind = b"\1" if pack else b"\0"
        stored = pack(block) if pack else block
        handle = varint(len(out)) + varint(len(stored))
        out.extend(stored + kind + stored_crc(stored + kind))
        return handle

    entries = sorted(entries)
    for at in range(0, len(entries), per_block):
        part = entries[at : at + per_block]
        index.append((part[-1][0] + b"\xff", put(table_block(part))))
    meta = put(table_block([]))
    footer = meta + put(table_block(index))
    return bytes(out) + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def snappy_literals(data: bytes) -> bytes:
    """Snappy without any copies."""
    out = varint(len(data))
    for at in range(0, len(data), 60):
        part = data[at : at + 60]
        out += bytes([(len(part) - 1) << 2]) + part
    return out


def checkpoint_v2(
    tensors: Mapping[str, Array], *, shards: int = 1, **how: Any
) -> tuple[bytes, list[bytes]]:
    """{name: array} as (index, [shard, ...]); tensors go to the shards in turns."""
    contents = [bytearray() for _ in range(shards)]
    entries = [(b"", field(1, shards) + field(3, field(1, 1)))]
    for number, (name, array) in enumerate(sorted(tensors.items())):
        shard = number % shards
        data = np.asarray(array).tobytes()
        entry = field(1, TF_KINDS[str(array.dtype)]) + field(2, tf_shape(array.shape))
        entry += field(3, shard) + field(4, len(contents[shard])) + field(5, len(data))
        entries.append((name.encode(), entry + fixed(6, stored_crc(data))))
        contents[shard] += data
    return table(entries, **how), [bytes(c) for c in contents]


def checkpoint_v1(
    tensors: Mapping[str, Array], slices: Sequence[tuple[str, int, int]] = (), **how: Any
) -> bytes:
    """{name: array} as one table. `slices`: (name, first row, rows) of those saved in parts."""
    meta, entries = b"", []
    for name, array in tensors.items():
        head = field(1, name) + field(2, tf_shape(array.shape))
        meta += field(1, head + field(3, TF_KINDS[str(array.dtype)]))
        parts: list[tuple[int, int | None]]
        parts = [(start, rows) for n, start, rows in slices if n == name] or [(0, None)]
        for start, rows in parts:
            first = field(1, start) + field(2, rows) if rows is not None else b""
            extents = field(1, first) * (array.ndim > 0) + field(1, b"") * (array.ndim - 1)
            values = array if rows is None else array[start : start + rows]
            saved = field(1, name) + field(2, extents) + field(3, tf_values(values))
            entries.append((b"\0" + name.encode() + bytes([start]), field(2, saved)))
    return table([(b"", field(1, meta + field(2, field(1, 1)))), *entries], **how)
