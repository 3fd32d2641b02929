"""Doing on the event loop what is hardly any work, as long as it is."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SLOW = 0.1
"""Seconds after which others have waited too long: files of a network, say, or hundreds of them."""
REST = 10.0
"""Seconds until it is tried again."""


class QuickLooks:
    """Looks at files that nobody else waits for, unless one of them took long lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._not_before = clock, 0.0

    def quick(self, look: Callable[[], T]) -> T | None:
        """What a look gives; None where looks are slow."""
        begun = self._clock()
        if begun < self._not_before:
            return None
        try:
            return look()
        finally:
            ended = self._clock()
            if ended - begun > SLOW:
                self._not_before = ended + REST
