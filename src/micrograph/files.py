"""Writing files so that they are complete under their name, or not there.

What is not complete yet lies in a hidden folder beside its place, `.NAME.micrograph-new`, which the
writing process holds a lock on. The system drops the lock however the process ends, so what a
killed one left is told from what a live one writes, and goes when the next file is written there.
"""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from micrograph.errors import Conflict, MicrographError, Unavailable

UNFINISHED = ".micrograph-new"
"""How the name of a hidden folder with an unfinished file ends."""
PATIENCE = 120.0
"""Seconds to wait for another process that writes the same file."""
_LOCK = "lock"
_POLL = 0.05
_cleaned: set[str] = set()
"""Folders in which this process has removed what others left."""


def printable(name: str) -> str:
    """A file's name as text that can be stored, whatever bytes it is made of."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def write_atomically(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write `parts` to a file that takes the place of `path` once it is safely on the disk.

    Raises Unavailable, saying why, when it cannot be written; then `path` is what it was.
    """
    with fresh_file(path) as fresh, fresh.open("wb") as file:
        for part in parts:
            file.write(part)


@contextmanager
def fresh_file(target: Path, *, replaces: bool = True) -> Iterator[Path]:
    """Where to write what takes the place of `target` at the end of the context.

    Whatever interrupts that leaves `target` as it was. Who writes the same file at the same time
    waits for its turn. Errors of the system within the context are taken for errors of writing, and
    raised as Unavailable, saying why. Without `replaces` a file that is there, or comes there
    meanwhile, is kept: Conflict.
    """
    folder = target.with_name(f".{target.name}{UNFINISHED}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target.parent)
        handle = _hold(folder, target)
    except OSError as error:
        raise cannot_write(target, error) from None
    try:
        _empty(folder)
        if not replaces:
            check_free(target)
        fresh = folder / target.name
        yield fresh
        _save(fresh)
        if not replaces:
            check_free(target)
        fresh.replace(target)
        with suppress(OSError):  # not everywhere can a folder be waited for
            _save(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from None
    finally:
        _let_go(folder, handle)


def check_free(target: Path) -> None:
    """Raises Conflict where there is a file already that is not to be replaced."""
    if target.exists():
        raise Conflict(f"{target} is there already; delete it or choose another name")


def cannot_write(path: Path, error: OSError) -> MicrographError:
    """The error for a file that could not be written: it says why."""
    return Unavailable(
        f"cannot write {path}: {error.strerror or error}; nothing was changed there; "
        "make room or choose a folder that you may write to"
    )


def locked(path: Path, *, make: bool = True) -> int | None:
    """The handle of a file with an exclusive lock, None while another process has it. The lock ends
    when the handle is closed, or with the process, however that ends.

    The file is made where there is none, or with `make` False FileNotFoundError raised. Whoever
    removes it does so before closing the handle.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where nothing is kept apart
        return os.open(path, os.O_RDWR | (os.O_CREAT if make else 0), 0o644)
    while True:
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0)
        handle = os.open(path, flags, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:
            os.close(handle)
            raise
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        os.close(handle)  # its holder removed it between our two steps: try again


@contextmanager
def sole_writer(target: Path) -> Iterator[None]:
    """A context in which no other process is in one for the same file; Conflict where one is.

    It is for work that goes on from what is in a file already, and would lose what another adds.
    """
    target = target.resolve()
    lock = target.with_name(f".{target.name}.lock")
    try:
        handle = locked(lock)
    except OSError as error:
        raise cannot_write(target, error) from None
    if handle is None:
        raise Conflict(
            f"{target} is being written by another process; wait until it has ended, or name "
            "another file"
        )
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
        os.close(handle)


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours with all that is in it, as far as that can be done."""
    shutil.rmtree(folder, ignore_errors=True)


def _hold(folder: Path, target: Path) -> int:
    """The lock of a hidden folder, which is made where there is none."""
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(FileExistsError):  # Path.mkdir(exist_ok) raises where it goes meanwhile
            os.mkdir(folder)
        with suppress(FileNotFoundError):  # removed by its holder between these two steps
            if (handle := locked(folder / _LOCK)) is not None:
                return handle
            if time.monotonic() > end:
                raise Conflict(f"{target} is being written by another process; wait for it")
            time.sleep(_POLL)


def _let_go(folder: Path, handle: int) -> None:
    """Remove a hidden folder. The lock goes last: from then on it is another's, perhaps."""
    _empty(folder)
    with suppress(OSError):
        (folder / _LOCK).unlink()
    os.close(handle)
    with suppress(OSError):  # the next one waits for this and has begun
        folder.rmdir()


def _empty(folder: Path) -> None:
    """Remove all but the lock."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                remove_folder(Path(entry.path))
            elif entry.name != _LOCK:
                os.unlink(entry.path)


def remove_abandoned(parent: Path) -> None:
    """Remove what killed processes left in a folder, whatever they were writing; once a process.

    Whoever writes a file there does so. A command that may find all done calls it at its start.
    """
    place = os.path.realpath(parent)
    if place in _cleaned:
        return
    _cleaned.add(place)
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if (
                entry.name.startswith(".")
                and entry.name.endswith(UNFINISHED)
                and entry.is_dir(follow_symlinks=False)
            ):
                _remove_if_abandoned(Path(entry.path))


def _remove_if_abandoned(folder: Path) -> None:
    try:
        handle = locked(folder / _LOCK, make=False)
    except FileNotFoundError:
        with suppress(OSError):  # killed before it had begun, or at its end
            folder.rmdir()
    except OSError:
        pass  # another user's
    else:
        if handle is not None:
            _let_go(folder, handle)


def _save(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
