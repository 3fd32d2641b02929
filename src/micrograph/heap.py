"""How this process takes memory from the system, and gives back what it has done with."""

import ctypes
from collections.abc import Callable
from contextlib import suppress
from functools import cache

APART = 4 << 20
"""Bytes."""
_MMAP_THRESHOLD = -3
"""As the GNU C library numbers its settings."""

_OUT_OF_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "failed to allocate",
    "bad_alloc",
    "alloc_failed",  # cuBLAS and cuDNN
    "could not create a memory object",  # oneDNN
)
"""Words of torch, its allocators and backends, in small letters."""

NO_MEMORY = (
    "no memory is left for this; give it more (a limit of the shell or a container?), or take a "
    "smaller --batch, --size or fewer nodes"
)
"""For people."""


def says_no_memory(error: BaseException) -> bool:
    """Whether an error says that the machine, a device or a limit has no memory left."""
    if isinstance(error, MemoryError):
        return True
    said = str(error).lower()
    if isinstance(error, ImportError):  # of a library that does not fit
        return "failed to map segment" in said or "cannot allocate memory" in said
    return isinstance(error, RuntimeError) and any(words in said for words in _OUT_OF_MEMORY)


def give_back() -> None:
    """Return what is free within this process, a millisecond's work for each hundred megabytes.

    The C library keeps what a thread has freed for the next time; after one large picture that is
    as much as it took. Does nothing where the library has no such call.
    """
    _trim()(0)


@cache
def keep_large_blocks_apart() -> None:
    """From now on what is larger than `APART` is taken from the system by itself, and goes back at
    once when it is done with.

    Else small things that stay lie between the large ones that go, and the holes fit nothing: the
    passes of a large network took twice the memory. It costs a few percent of the time.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, APART)
    give_back()


@cache
def _trim() -> Callable[[int], object]:
    try:
        found: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return lambda pad: None
    return found
