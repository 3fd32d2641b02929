"""How this process takes memory from the system, and gives back what it has done with."""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

_LARGE = 256 << 10
"""Bytes from which a block goes back to the system when a process of many threads frees it."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -3, -4, -8
"""As the GNU C library numbers its settings (malloc.h)."""
_EVERYTHING, _USUAL_MMAPS = 2**31 - 1, 65536

_keeping = 0
_keeping_lock = threading.Lock()

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
    set_heap = _mallopt()
    set_heap(_ARENA_MAX, 1)
    set_heap(_MMAP_THRESHOLD, _LARGE)
    set_heap(_TRIM_THRESHOLD, _LARGE)


@contextmanager
def kept() -> Iterator[None]:
    """A context in which this process keeps freed memory for what it takes next.

    For work that takes and frees the same large tensors again and again: by default each of them
    is new memory of the system, whose pages it has to clear. What was kept goes back at the end.
    Does nothing where the C library has no such settings.
    """
    global _keeping
    set_heap = _mallopt()
    with _keeping_lock:
        _keeping += 1
        if _keeping == 1:
            set_heap(_MMAP_MAX, 0)
            set_heap(_TRIM_THRESHOLD, _EVERYTHING)
    try:
        yield
    finally:
        with _keeping_lock:
            _keeping -= 1
            if _keeping == 0:
                set_heap(_MMAP_MAX, _USUAL_MMAPS)
                set_heap(_TRIM_THRESHOLD, _LARGE)
                give_back()


@cache
def _mallopt() -> Callable[[int, int], object]:
    try:
        found: Callable[[int, int], object] = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return lambda setting, value: None
    return found


@cache
def _trim() -> Callable[[int], object]:
    try:
        found: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return lambda pad: None
    return found
