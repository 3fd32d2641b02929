"""What was worked out once and is kept, within bounds."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by key, at most `most` of them, or where `size` says how much a value takes (bytes,
    say) at most so much of that together: the least used go first. From any thread."""

    def __init__(self, most: int, size: Callable[[T], int] = lambda value: 1) -> None:
        self._most, self._size = most, size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._taken = 0

    def find(self, key: Hashable) -> T | None:
        """The value that is kept under a key."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
            return kept[0]

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value, unless it alone is too large."""
        size = self._size(value)
        with self._lock:
            if key in self._kept:
                self._taken -= self._kept.pop(key)[1]
            if size > self._most:
                return
            self._kept[key] = (value, size)
            self._taken += size
            while self._taken > self._most:
                self._taken -= self._kept.popitem(last=False)[1][1]

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, or what it gave before. Whatever `make` raises is not kept."""
        found = self.find(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found
