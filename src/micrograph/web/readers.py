"""Readers who wait for an answer, and may leave before it is there."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.requests import Request

PAUSE = 0.25
"""Seconds between two looks at whether a reader is still there."""


class Reader:
    """Somebody who waits. `leave` may be called from any thread."""

    def __init__(self) -> None:
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


@asynccontextmanager
async def reader_of(request: Request) -> AsyncIterator[Reader]:
    """The reader who sent a request whose body is read; gone when the connection is closed, and
    after the block."""
    reader = Reader()
    watching = asyncio.create_task(_watch(request, reader))
    try:
        yield reader
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        reader.leave()


async def _watch(request: Request, reader: Reader) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(PAUSE)
    reader.leave()
