"""A reader who waits for an answer, and may leave before it is there."""

import threading
from collections.abc import Callable


class Reader:
    """Somebody who waits. `leave` may be called from any thread. `client` is whose share of the
    machine it is, where several wait: the address that requests come from."""

    def __init__(self, client: str = "") -> None:
        self.client = client
        self._lock = threading.Lock()
        self._left = False
        self._then: list[Callable[[], None]] = []

    @property
    def has_left(self) -> bool:
        """Whether nobody waits any more."""
        return self._left

    def when_gone(self, do: Callable[[], None]) -> None:
        """Have `do` called when the reader leaves; at once where that has happened."""
        with self._lock:
            if not self._left:
                self._then.append(do)
                return
        do()

    def leave(self) -> None:
        """The reader is gone."""
        with self._lock:
            if self._left:
                return
            self._left, then = True, self._then
        for do in then:
            do()
