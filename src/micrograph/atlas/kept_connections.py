"""Connections that wait for the next page: opening a file, and preparing the questions to it anew,
takes longer than most answers."""

import os
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path

_CACHE_KIB = 256
"""Pages of a file that one connection holds in memory."""


class AtlasConnection(sqlite3.Connection):
    """A connection for reading. `state` is that of its file before it was opened; None where the
    connection is for one page alone."""

    state: tuple[int, ...] | None = None


class KeptConnections:
    """At most `most` connections that nobody uses, the least used go first. From any thread.

    Only those to a file that is plain and just as it was when it was opened: beside a write-ahead
    log a connection, even an idle one, would keep a writer from folding the log back. One to a
    plain file holds no lock.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: OrderedDict[AtlasConnection, Path] = OrderedDict()

    def take(self, path: Path) -> AtlasConnection | None:
        """One that waits for questions to the file as it is now, no longer kept."""
        with self._lock:
            found = [one for one, of in reversed(self._idle.items()) if of == path]
            if not found:
                return None
            now = plain_state(path)
            if found[0].state == now:
                del self._idle[found[0]]
                return found[0]
            for one in found:
                del self._idle[one]
        _close(found)
        return None

    def give_back(self, path: Path, connection: AtlasConnection) -> None:
        """Keep a connection that was used, or close it where that would be in the way."""
        if connection.state is None or plain_state(path) != connection.state:
            connection.close()
            return
        with self._lock:
            self._idle[connection] = path
            over = [self._idle.popitem(last=False)[0] for _ in range(len(self._idle) - self._most)]
        _close(over)

    def close_outdated(self) -> None:
        """Let go of files that changed or went, whoever asks for them next."""
        with self._lock:
            over = [one for one, path in self._idle.items() if plain_state(path) != one.state]
            for one in over:
                del self._idle[one]
        _close(over)


def connect_for_reading(uri: str, state: tuple[int, ...] | None) -> AtlasConnection:
    """A connection that any one thread at a time may use, and that may be kept for a file that was
    in this state."""
    found = sqlite3.connect(
        uri, uri=True, timeout=10, check_same_thread=False, factory=AtlasConnection
    )
    found.state = state
    found.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    found.execute("PRAGMA shrink_memory")  # what was taken for a cache of the usual size
    return found


def plain_state(path: Path) -> tuple[int, ...] | None:
    """Numbers that change with a file; None where it is gone, or a log lies beside it."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if os.path.exists(f"{path}-wal"):
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _close(connections: list[AtlasConnection]) -> None:
    for one in connections:
        one.close()
