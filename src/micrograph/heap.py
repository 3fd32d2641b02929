"""How this process takes memory from the system, and gives back what it has done with."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

_LARGE = 256 << 10
"""Bytes from which a block goes back to the system when a process of many threads frees it."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""As the GNU C library numbers its settings (malloc.h)."""

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


def share_between_threads() -> None:
    """Let all threads of this process share one heap, and give large blocks back at once.

    By default each of the threads that answer has its own heap, which keeps what its largest page
    needed. They hardly ever ask at the same moment, as one of them runs at a time.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)


_GROWN = 32 << 20
"""Bytes of a block up to which the C library comes to keep freed memory by itself, at most."""
_KEPT = 1 << 30
"""Bytes of a block, and of free memory, that are kept for the next time within `kept_for_reuse`."""


@contextmanager
def kept_for_reuse() -> Iterator[None]:
    """A context in which this process keeps what large blocks it has freed, up to a gigabyte.

    Work that takes the same blocks again and again, such as one pass through a network after the
    other, otherwise gets each of them from the system and has it cleared page by page: a fifth of
    the time that such passes take. Behind the context free memory goes back.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        yield
        return
    mallopt(_MMAP_THRESHOLD, _KEPT)
    mallopt(_TRIM_THRESHOLD, _KEPT)
    try:
        yield
    finally:
        mallopt(_MMAP_THRESHOLD, _GROWN)
        mallopt(_TRIM_THRESHOLD, 2 * _GROWN)
        give_back()


@cache
def _trim() -> Callable[[int], object]:
    try:
        found: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return lambda pad: None
    return found
