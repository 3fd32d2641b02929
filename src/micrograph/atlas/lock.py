"""One writer per file: a lock that vanishes with the process that holds it."""

import os
import time
from pathlib import Path

from micrograph.errors import Conflict, Unavailable
from micrograph.files import locked

PATIENCE = 120.0
"""Seconds to wait for a writer that makes way: it stops at its next step."""
_POLL = 0.1
_HESITATION = 0.3
"""Seconds in which a holder has said by then whether it makes way."""
_STALE = 5.0
"""Seconds after which nobody waits any longer who does not say so again."""
_MAKES_WAY = b"makes way\n"


class WriterLock:
    """An advisory lock on `<file>.lock`. The system drops it when the process ends, however.

    The lock lies beside the atlas because closing any other handle of the atlas itself would drop
    the locks SQLite holds on it.

    A writer that `makes_way` works while nobody else wants to: it waits until the lock is free, and
    stops as soon as `is_wanted`. Others ask it to by `<file>.wanted`, and wait for `PATIENCE`
    seconds at most.
    """

    def __init__(self, target: Path, makes_way: bool = False) -> None:
        self.path = target.with_name(target.name + ".lock")
        self._wanted = target.with_name(target.name + ".wanted")
        self._makes_way = makes_way
        self._handle = self._wait_in_turn(target)

    @property
    def is_wanted(self) -> bool:
        """Whether another writer waits for this one, which makes way."""
        return self._makes_way and self._is_asked_for()

    def _wait_in_turn(self, target: Path) -> int:
        if self._makes_way:
            while self._is_asked_for() or (handle := self._acquire(target)) is None:
                time.sleep(_POLL)
            os.pwrite(handle, _MAKES_WAY, 0)
            return handle
        started, asked = time.monotonic(), False
        try:
            while (handle := self._acquire(target)) is None:
                waited = time.monotonic() - started
                if waited > (PATIENCE if self._holder_makes_way() else _HESITATION):
                    raise Conflict(
                        f"{target} is being written by another process; "
                        "wait for it to finish, or choose another folder with --atlas"
                    )
                self._wanted.touch()
                asked = True
                time.sleep(_POLL)
        finally:
            if asked:
                self._wanted.unlink(missing_ok=True)
        os.ftruncate(handle, 0)
        return handle

    def _acquire(self, target: Path) -> int | None:
        """None while another process has it."""
        try:
            return locked(self.path)
        except OSError as error:
            raise Unavailable(
                f"cannot write in {target.parent} ({error.strerror}); "
                "choose a folder you may write to with --atlas"
            ) from error

    def _holder_makes_way(self) -> bool:
        """What the holder says of itself; one that has just let go is as good."""
        try:
            return self.path.read_bytes() == _MAKES_WAY
        except FileNotFoundError:
            return True

    def _is_asked_for(self) -> bool:
        try:
            return time.time() - self._wanted.stat().st_mtime < _STALE
        except OSError:
            return False

    def release(self) -> None:
        """Remove the lock file, then let go."""
        if not self._is_asked_for():  # one that asked may have been killed
            self._wanted.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        os.close(self._handle)
