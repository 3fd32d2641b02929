"""Memory that threads share."""

import ctypes

_ARENA_MAX = -8
"""The number of that option in glibc's malloc.h."""


def share_heap() -> None:
    """Let all threads take memory from one heap.

    By default each of the threads that answer gets its own, which keeps what its largest page
    needed. They hardly ever ask at the same moment, as one of them runs at a time. Without glibc
    nothing happens.
    """
    try:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
    except (OSError, AttributeError, TypeError):
        return
