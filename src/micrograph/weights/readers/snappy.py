"""Unpacking Snappy's raw format: stretches of bytes, and copies of what came before.

https://github.com/google/snappy/blob/main/format_description.txt
"""

from micrograph.weights.readers.common import Damaged, may_unpack_to
from micrograph.weights.readers.protobuf import varint


def unpack(data: memoryview) -> bytes:
    """The unpacked bytes. Raises Damaged."""
    size, at = varint(data, 0)
    if size > may_unpack_to(len(data)):
        raise Damaged(f"a packed block claims {size} bytes")
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        length = (tag >> 2) + 1
        if tag & 3 == 0:
            if length > 60:  # the length stands in the 1 to 4 bytes that follow
                wide = length - 60
                length = int.from_bytes(data[at : at + wide], "little") + 1
                at += wide
            if length > len(data) - at:
                raise Damaged("a packed block ends within its bytes")
            out += data[at : at + length]
            at += length
        else:
            wide = (1, 2, 4)[(tag & 3) - 1]
            back = int.from_bytes(data[at : at + wide], "little")
            at += wide
            if wide == 1:
                back |= tag >> 5 << 8
                length = (tag >> 2 & 7) + 4
            if not 0 < back <= len(out) or at > len(data):
                raise Damaged("a packed block copies from before its start")
            start = len(out) - back
            copied = out[start : start + length]
            out += (copied * -(-length // len(copied)))[:length]  # a copy may overlap itself
        if len(out) > size:
            break
    if len(out) != size:
        raise Damaged(f"a packed block has {len(out)} bytes, expected {size}")
    return bytes(out)
