"""CRC-32C and Snappy, alone."""

from contextlib import suppress

import numpy as np
import pytest
import weights_writers as w
from hypothesis import given
from hypothesis import strategies as st

from micrograph.weights.readers.common import Damaged
from micrograph.weights.readers.crc32c import crc32c, masked
from micrograph.weights.readers.snappy import unpack


@pytest.mark.parametrize(
    ("data", "crc"),
    [  # RFC 3720, B.4, and the usual check value
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_published_checksums(data, crc):
    assert crc32c(data) == crc


@given(st.binary(max_size=300))
def test_short_data_against_bit_by_bit(data):
    assert crc32c(data) == w.slow_crc32c(data)
    assert masked(crc32c(data)).to_bytes(4, "little") == w.stored_crc(data)


@pytest.mark.parametrize("size", [1023, 1024, 1025, 5000, 12345])
def test_long_data_against_bit_by_bit(size):
    data = np.random.default_rng(size).bytes(size)
    assert crc32c(data) == w.slow_crc32c(data)


PACKED = bytes.fromhex(  # written by Rust's snap
    "a901286d6963726f677261706820fe0b005e0b00f045000102030405060708090a0b0c0d0e0f10111213141516171819"
    "1a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445"
)


def test_snappy_of_another_program():
    assert unpack(memoryview(PACKED)) == b"micrograph " * 9 + bytes(range(70))


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\0", b""),
        (b"\5\0a\1\1", b"aaaaa"),  # a copy of 4 from 1 byte back
        (b"\4\4ab\6\2\0", b"abab"),  # 2 bytes from 2 back, place in 2 bytes
        (b"\4\4ab\7\2\0\0\0", b"abab"),  # in 4 bytes
        (b"\3\xf0\2abc", b"abc"),  # length in the next byte
        (b"\3\xf4\2\0abc", b"abc"),
    ],
)
def test_every_kind_of_piece(packed, plain):
    assert unpack(memoryview(packed)) == plain


@pytest.mark.parametrize(
    "packed", [b"", b"\5\0a\1\2", b"\5\0a\1\0", b"\2\0a", b"\1\4ab", b"\3\xf0"]
)
def test_damaged_pieces(packed):
    with pytest.raises(Damaged):
        unpack(memoryview(packed))


def test_more_than_a_packed_block_can_hold():
    with pytest.raises(Damaged, match="claims"):
        unpack(memoryview(w.varint(2**33) + b"\0a"))


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_damage_anywhere(place, change):
    damaged = bytearray(PACKED)
    damaged[place] ^= change
    with suppress(Damaged):
        assert len(unpack(memoryview(damaged))) < 2**26
