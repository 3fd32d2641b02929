"""CRC-32C (Castagnoli), fast enough for weights: many stretches of the data at once.

Without its inversions a CRC is linear: the CRC of A followed by B is that of A carried over |B|
zero bytes, exclusive or that of B; zeros in front change nothing. So the data, with zeros in front,
is cut into stretches of equal length, all stretches go forward together, and neighbours are joined
in pairs. https://en.wikipedia.org/wiki/Computation_of_cyclic_redundancy_checks
"""

import functools

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78
STRETCH = 256
"""Words of 4 bytes in a stretch; a power of two."""

Words = NDArray[np.uint32]
ONE = np.uint32(1)


@functools.cache
def _tables() -> tuple[Words, Words]:
    """What the low and the high half of a word become after 32 zero bits."""
    carried: Words = np.arange(2**16, dtype=np.uint32)
    for _ in range(16):
        carried = carried >> ONE ^ (carried & ONE) * np.uint32(POLYNOMIAL)
    high = carried  # the low half of `carried << 16`, seen after 16 of the 32 steps
    low = high[high & 0xFFFF] ^ (high >> 16)
    return low, high


def _forward(state: Words) -> Words:
    low, high = _tables()
    forward: Words = low[state & 0xFFFF] ^ high[state >> 16]
    return forward


def _carry(operator: Words, state: Words) -> Words:
    """Apply a linear map, given by what it makes of each of the 32 bits."""
    carried = np.zeros_like(state)
    for bit in range(32):
        carried ^= (state >> np.uint32(bit) & ONE) * operator[bit]
    return carried


def crc32c(data: bytes | memoryview) -> int:
    """The checksum as LevelDB and TensorFlow use it (before masking)."""
    if len(data) < 4:
        crc = 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF
    stretch = min(STRETCH, 1 << ((len(data) - 1) // 4).bit_length())
    padded = np.zeros(-(-len(data) // (4 * stretch)) * 4 * stretch, np.uint8)
    start = len(padded) - len(data)
    padded[start:] = np.frombuffer(data, np.uint8)
    padded[start : start + 4] ^= 0xFF  # the usual start value, taken into the data
    words = padded.view("<u4").reshape(-1, stretch)
    state: Words = np.zeros(len(words), np.uint32)
    for place in range(stretch):
        state = _forward(state ^ words[:, place])
    operator = _forward(np.left_shift(ONE, np.arange(32, dtype=np.uint32)))
    for _ in range(stretch.bit_length() - 1):
        operator = _carry(operator, operator)
    while len(state) > 1:
        if len(state) % 2:
            state = np.concatenate((np.zeros(1, np.uint32), state))
        state = _carry(operator, state[0::2]) ^ state[1::2]
        operator = _carry(operator, operator)
    return int(state[0]) ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """As it is stored, so that the CRC of data with CRCs in it is sound (leveldb, crc32c.h)."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
