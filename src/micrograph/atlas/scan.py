"""Which atlas files there are, and whether they changed: by `stat` alone, nothing is opened."""

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from micrograph.atlas.format import SUFFIX

State = tuple[int, ...]
"""Numbers that change with a file: its inode, size and times, then those of the write-ahead log
beside it while that is not empty."""

_FIELDS = 4
"""Numbers that `stat` gives of one file."""


def scan(places: Iterable[Path]) -> dict[Path, State]:
    """The state of every atlas file in folders and files, in order of precedence.

    Folders without access, and files that vanish meanwhile, are left out.
    """
    found: dict[Path, State] = {}
    for place in places:
        # os.path, because it treats a folder without access as missing.
        if os.path.isdir(place):
            names = _names(place)
            atlases = sorted(name for name in names if name.endswith(SUFFIX))
            files = [(_path(place, name), f"{name}-wal" in names) for name in atlases]
        else:
            files = [(place, True)]
        for path, logged in files:
            if state := _state(path):
                found[path] = state + (_log_state(path) if logged else ())
    return found


def file_state(path: Path) -> State:
    """The state of one atlas file, () if there is none."""
    state = _state(path)
    return state + _log_state(path) if state else ()


def is_being_written(state: State) -> bool:
    """Whether a part of what a reader sees lies in a log beside the file."""
    return len(state) > _FIELDS


@lru_cache(10_000)
def _path(folder: Path, name: str) -> Path:
    """The same object at every look, which makes one look quick to compare with the next."""
    return folder / name


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


def _state(path: Path | str) -> State:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _log_state(path: Path) -> State:
    """() for a log with nothing in it: readers make such ones."""
    state = _state(f"{path}-wal")
    return state if state and state[1] else ()
