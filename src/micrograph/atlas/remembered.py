"""What was worked out of a reading, kept as long as no file of it changes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import ref

from micrograph.atlas.merged import Merged
from micrograph.atlas.reading import Reading

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by reading and key, at most `most` of them, or where `size` says how much a value takes
    (bytes, say) at most so much of that together: the least used go first.

    A library gives the same object for a model until a file of it changes, so that object stands
    for the state of its files. Other readings (an `Atlas` alone) are asked again each time.
    """

    def __init__(self, most: int, size: Callable[[T], int] = lambda value: 1) -> None:
        self._most, self._size = most, size
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, Hashable], tuple[ref[Reading], T, int]] = OrderedDict()
        self._taken = 0

    def get(self, reading: Reading, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, or what it gave before. Whatever `make` raises is not remembered."""
        if not isinstance(reading, Merged) or not reading.states:
            return make()
        place = (id(reading), key)
        with self._lock:
            kept = self._kept.get(place)
            if kept is not None and kept[0]() is reading:
                self._kept.move_to_end(place)
                return kept[1]
        value = make()
        size = self._size(value)
        if size > self._most:
            return value
        with self._lock:
            if place in self._kept:
                self._taken -= self._kept.pop(place)[2]
            self._kept[place] = (ref(reading), value, size)
            self._taken += size
            while self._taken > self._most:
                self._taken -= self._kept.popitem(last=False)[1][2]
        return value
