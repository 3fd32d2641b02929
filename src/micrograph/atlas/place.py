"""The place of an atlas: what lies beside the file, and whether it is still the same file."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from micrograph.errors import Conflict
from micrograph.files import check_free, fresh_file

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite writes beside a file, by the endings of the names."""
_HEADER = 100


@contextmanager
def fresh_atlas(target: Path) -> Iterator[Path]:
    """As `fresh_file`, for an atlas where there is none yet.

    What SQLite left beside one that was killed, and deleted since, would be taken for a part of the
    new one, and read in place of what is in it: it goes first.
    """
    with fresh_file(target, replaces=False) as fresh:
        yield fresh
        check_free(target)
        remove_beside(target)


def remove_beside(path: Path) -> None:
    """Remove what SQLite left beside an atlas that is no more, or is to go."""
    for ending in BESIDE:
        path.with_name(path.name + ending).unlink(missing_ok=True)


class WatchedFile:
    """The file that a writer has opened, which others may delete or replace meanwhile: what is
    written then goes nowhere, or into a file of somebody else.

    To be closed after the connection: closing any handle of a file drops SQLite's locks on it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._header = b""
        self._log: int | None = None
        self.note()

    def note(self) -> None:
        """File and log are as the writer left them."""
        self._header = os.pread(self._handle, _HEADER, 0)
        self._log = _inode(Path(f"{self.path}-wal"))

    def check_place(self) -> None:
        """Raises Conflict where the file was deleted or another one is in its place."""
        try:
            if os.path.samestat(os.stat(self.path), os.fstat(self._handle)):
                return
            what = "replaced by another file"
        except OSError:
            what = "deleted"
        raise self._lost(what)

    def check(self) -> None:
        """As `check_place`, and where somebody else has written to the file since `note`."""
        self.check_place()
        if os.pread(self._handle, _HEADER, 0) != self._header:
            raise self._lost("overwritten by another program")

    def _lost(self, what: str) -> Conflict:
        return Conflict(
            f"{self.path} was {what} while results were being stored in it; those are lost, and "
            "the same command makes them again"
        )

    def close(self, connection: sqlite3.Connection, lost: bool) -> None:
        """Close the writer's connection and let go of the file.

        If that is `lost`, nothing of the writer's log gets into what lies there now: SQLite would
        write it there at the end, or the next reader would take it for a part of that.
        """
        log = Path(f"{self.path}-wal")
        own = lost and self._log is not None and _inode(log) == self._log
        with suppress(OSError, sqlite3.Error):
            if own:
                os.truncate(log, 0)
            connection.close()
        if own:
            remove_beside(self.path)
        os.close(self._handle)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
