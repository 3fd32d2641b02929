"""One writer per file: a lock that vanishes with the process that holds it."""

import os
import time
from pathlib import Path

from micrograph.errors import Conflict, Unavailable

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
        import fcntl  # not on Windows; reading an atlas works there all the same

        while True:
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise Unavailable(
                    f"cannot write in {target.parent} ({error.strerror}); "
                    "choose a folder you may write to with --atlas"
                ) from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                return None
            if self._is_same_file(handle):
                return handle
            os.close(handle)  # its holder removed it between our two steps: try again

    def _is_same_file(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _holder_makes_way(self) -> bool:
        """What the holder says of itself; one that has just let go says nothing, and may be gone."""
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
        self.path.unlink(missing_ok=True)
        os.close(self._handle)
