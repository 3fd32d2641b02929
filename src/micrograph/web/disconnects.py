"""Hearing of readers who leave: their browser closes the connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import Request

from micrograph.web.reader import Reader

PAUSE = 0.25
"""Seconds between two looks at whether a reader is still there."""


@asynccontextmanager
async def reader_of(request: Request) -> AsyncIterator[Reader]:
    """The reader who sent a request whose body is read; gone when the connection is closed, and
    after the block."""
    reader = Reader(request.client.host if request.client else "")
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
