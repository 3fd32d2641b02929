"""A few numbers as a small picture of crisp pixels, without an imaging library."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence


def pixels_url(rows: Sequence[Sequence[tuple[int, int, int]]]) -> str:
    """A data URL of a PNG with these RGB pixels, 0 to 255."""
    return "data:image/png;base64," + b64encode(png(rows)).decode()


def png(rows: Sequence[Sequence[tuple[int, int, int]]]) -> bytes:
    """The same as a file."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(value for pixel in row for value in pixel) for row in rows)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
