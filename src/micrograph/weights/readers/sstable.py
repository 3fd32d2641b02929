"""Sorted tables of keys and values, as LevelDB and TensorFlow write them.

Blocks, each with its kind and checksum behind it; a block that lists the blocks; a footer that says
where it is. https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from collections.abc import Iterator

from micrograph.weights.readers import snappy
from micrograph.weights.readers.common import Damaged
from micrograph.weights.readers.crc32c import crc32c, masked
from micrograph.weights.readers.protobuf import varint

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48
LONGEST_KEY = 4096


def entries(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """All (key, value), by increasing key. Raises Damaged, also for a wrong checksum."""
    if len(data) < FOOTER or data[-8:] != MAGIC:
        raise Damaged("it has no footer of a table")
    footer = data[-FOOTER:-8]
    _, at = _handle(footer, 0)
    (start, size), _ = _handle(footer, at)
    index_at = len(data) - FOOTER
    last, end = None, 0
    for _, where in _in_block(_block(data[:index_at], start, size)):
        (start, size), _ = _handle(where, 0)
        if start < end:
            raise Damaged("its blocks overlap")
        for key, value in _in_block(_block(data[:index_at], start, size)):
            if last is not None and key <= last:
                raise Damaged("its keys are out of order")
            last = key
            yield key, value
        end = start + size


def _handle(data: memoryview, at: int) -> tuple[tuple[int, int], int]:
    start, at = varint(data, at)
    size, at = varint(data, at)
    return (start, size), at


def _block(data: memoryview, start: int, size: int) -> memoryview:
    end = start + size
    if end + 5 > len(data):
        raise Damaged(f"a block of {size} bytes at {start} is outside the file")
    kind = data[end]
    stored = int.from_bytes(data[end + 1 : end + 5], "little")
    if masked(crc32c(data[start : end + 1])) != stored:
        raise Damaged(f"the block at {start} has a wrong checksum")
    if kind == 0:
        return data[start:end]
    if kind == 1:
        return memoryview(snappy.unpack(data[start:end]))
    raise Damaged(f"the block at {start} is packed in the unknown way {kind}")


def _in_block(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Entries share the start of their key with the one before; restart points are not needed."""
    if len(block) < 4:
        raise Damaged("a block is too short")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise Damaged("a block is too short for its restart points")
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        size, at = varint(block, at)
        if shared > len(key) or own + size > end - at or shared + own > LONGEST_KEY:
            raise Damaged("an entry of a block does not fit")
        key = key[:shared] + bytes(block[at : at + own])
        at += own
        yield key, block[at : at + size]
        at += size
