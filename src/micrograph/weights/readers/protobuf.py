"""The wire format of protocol buffers, as far as files need it: numbered fields of four kinds.

https://protobuf.dev/programming-guides/encoding/. There is no recursion: a message inside is a
field of bytes, and whoever knows what it means reads it as a message in turn.
"""

from collections.abc import Iterator

import numpy as np

from micrograph.weights.readers.common import Damaged

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Value = int | memoryview


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """An unsigned number of up to 64 bits at `at`, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Damaged("it ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 2**64:
                break
            return value, at
    raise Damaged("a number in it is longer than 64 bits")


def fields(data: Value) -> Iterator[tuple[int, int, Value]]:
    """(number, kind, value) of each field of a message, in order.

    A value is a whole number (VARINT) or bytes (4, 8 or, for BYTES, any number of them).
    """
    if isinstance(data, int):
        raise Damaged("it has a number where a message should be")
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: Value
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, at = varint(data, at)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise Damaged(f"field {number} is of the unknown kind {kind}")
        if number == 0 or number >= 2**29 or length > len(data) - at:
            raise Damaged(f"field {number} claims {length} bytes, {len(data) - at} are left")
        yield number, kind, data[at : at + length]
        at += length


def text(value: Value) -> str:
    """A string field."""
    if isinstance(value, int):
        raise Damaged("it has a number where a name should be")
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        raise Damaged("a name in it is not UTF-8") from None


def whole(value: Value) -> int:
    """A field int32, int64, bool or enum: negative numbers are stored as 64 bits."""
    if not isinstance(value, int):
        raise Damaged("it has bytes where a number should be")
    return value - 2**64 if value >= 2**63 else value


def wholes(value: Value) -> list[int]:
    """One entry of a repeated field of numbers: a number, or many of them packed."""
    if isinstance(value, int):
        return [whole(value)]
    if len(value) > 64:
        return _many(value)
    found, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        found.append(whole(number))
    return found


def _many(packed: memoryview) -> list[int]:
    """The same without a step per byte: the bytes of equal place in their numbers at once."""
    data = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(ends) == 0 or ends[-1] != len(data) - 1:
        raise Damaged("it ends within a number")
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > 10:
        raise Damaged("a number in it is longer than 64 bits")
    values = np.zeros(len(ends), np.uint64)
    for place in range(int(lengths.max())):
        has = lengths > place
        part = (data[starts[has] + place] & 0x7F).astype(np.uint64)
        values[has] |= part << np.uint64(7 * place)
    return values.view(np.int64).tolist()
