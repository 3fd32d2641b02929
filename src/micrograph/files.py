"""Writing files so that they are complete under their name, or not there."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from micrograph.errors import MicrographError, Unavailable


def write_atomically(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Write `parts` to a file beside `path` and move it there once it is safely on the disk.

    Raises Unavailable, saying why, when it cannot be written; then nothing is left there.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> MicrographError:
    """The error for a file that could not be written: it says why."""
    return Unavailable(
        f"cannot write {path}: {error.strerror or error}; nothing was left there; "
        "make room or choose a folder that you may write to"
    )
