"""One writer per file: a lock that vanishes with the process that holds it."""

import os
from pathlib import Path

from micrograph.errors import Conflict, Unavailable


class WriterLock:
    """An advisory lock on `<file>.lock`. The system drops it when the process ends, however.

    The lock lies beside the atlas because closing any other handle of the atlas itself would drop
    the locks SQLite holds on it.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".lock")
        self._handle = self._acquire(target)

    def _acquire(self, target: Path) -> int:
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
            except OSError as error:
                os.close(handle)
                raise Conflict(
                    f"{target} is being written by another process; "
                    "wait for it to finish, or choose another folder with --atlas"
                ) from error
            if self._is_same_file(handle):
                return handle
            os.close(handle)  # its holder removed it between our two steps: try again

    def _is_same_file(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Remove the lock file, then let go."""
        self.path.unlink(missing_ok=True)
        os.close(self._handle)
