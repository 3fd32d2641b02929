"""A client that keeps connections open and asks as fast as it is answered."""

import asyncio
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sites import Site


@dataclass(frozen=True)
class Ask:
    """A path, and the ETag of what the reader has of it already."""

    path: str
    etag: str = ""


@dataclass(frozen=True)
class Load:
    """Milliseconds that each answer took, answers in a second, and milliseconds of CPU time that
    the site spent on each."""

    times: Sequence[float]
    rate: float
    cpu: float

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        return sorted(self.times)[math.ceil(0.99 * len(self.times)) - 1]


def load(site: Site, asks: Sequence[Ask], connections: int) -> Load:
    """Ask for all of it over so many connections, each of which waits for its answer."""
    return asyncio.run(_load(site, asks, connections))


def etag_of(site: Site, path: str) -> str:
    """The ETag of what is at a path."""

    async def ask() -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        headers = await _answer(reader, writer, Ask(path))
        writer.close()
        return headers.get("etag", "")

    return asyncio.run(ask())


async def _load(site: Site, asks: Sequence[Ask], connections: int) -> Load:
    opened = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(connections)]
    left, times = iter(asks), []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for ask in left:
            started = time.perf_counter()
            await _answer(reader, writer, ask)
            times.append(1000 * (time.perf_counter() - started))

    cpu, started = site.cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(one(*streams) for streams in opened))
    taken, used = time.perf_counter() - started, site.cpu_seconds() - cpu
    for _, writer in opened:
        writer.close()
    return Load(times, len(times) / taken, 1000 * used / len(times))


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: Ask
) -> dict[str, str]:
    """Ask, and read the whole answer: its headers. Raises ValueError for an error's."""
    known = f"if-none-match: {ask.etag}\r\n" if ask.etag else ""
    head = f"GET {ask.path} HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\n{known}\r\n"
    writer.write(head.encode())
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(_pairs(lines))
    if status.split()[1] != ("304" if ask.etag else "200"):
        raise ValueError(f"{ask.path}: {status}")
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(headers.get("content-length", 0)))
    return headers


def _pairs(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()
