"""Pages are made a few at a time: what each needs while it is made would else add up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2
"""One works in Python, the other compresses, reads and computes meanwhile."""
PATIENCE = 3.0
"""Seconds after which a page no longer waits for its turn: those before it may wait for a file that
another program has locked."""


class Turns:
    """At most `at_once` at a time, unless that takes too long."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._free = threading.Semaphore(at_once)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it until the end."""
        had = self._free.acquire(timeout=self._patience)
        try:
            yield
        finally:
            if had:
                self._free.release()
