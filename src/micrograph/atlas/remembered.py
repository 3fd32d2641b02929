"""What was worked out once and is kept, within bounds, as long as no file of a reading changes."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import ref

from micrograph.atlas.kept import Kept
from micrograph.atlas.merged import Merged
from micrograph.atlas.reading import Reading

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by reading and key, bounded as in `Kept`.

    A library gives the same object for a model until a file of it changes, so that object stands
    for the state of its files. Other readings (an `Atlas` alone) are asked again each time.
    """

    def __init__(self, most: int, size: Callable[[T], int] = lambda value: 1) -> None:
        self._kept: Kept[tuple[ref[Reading], T]] = Kept(most, lambda pair: size(pair[1]))

    def get(self, reading: Reading, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, or what it gave before. Whatever `make` raises is not remembered."""
        if not isinstance(reading, Merged) or not reading.states:
            return make()
        found = self.find(reading, key)
        if found is None:
            found = make()
            self._kept.put((id(reading), key), (ref(reading), found))
        return found

    def find(self, reading: Reading, key: Hashable) -> T | None:
        """What is remembered under a key."""
        kept = self._kept.find((id(reading), key))
        return kept[1] if kept is not None and kept[0]() is reading else None
