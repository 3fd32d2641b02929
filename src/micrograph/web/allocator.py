"""How the C library keeps memory for a process of many threads, which at times need much of it."""

import ctypes
from contextlib import suppress

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 256 << 10
"""Bytes from which a block is the system's own, and goes back to it when it is freed. Said once, it
stays so; by itself the library raises it to the largest block that was ever freed."""
_ARENAS = 2
"""Heaps in which threads allocate; by itself each thread gets one, and keeps what it once had."""


def return_memory() -> None:
    """Have this process give back what it does not use. Does nothing where there is no glibc."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, _ARENAS)
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)
