"""A site of several processes that answer at one port."""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from asyncio import Server
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess

from micrograph.errors import Unavailable
from micrograph.heap import share_between_threads
from micrograph.parts.urls import Urls
from micrograph.web.app import Application
from micrograph.web.broker import Broker
from micrograph.web.brokered import BrokeredLive, BrokeredQuestions, QuestionLine
from micrograph.web.brokered_microscope import BrokeredMicroscope
from micrograph.web.endings import end_quietly
from micrograph.web.live import READ_ONLY, Live
from micrograph.web.microscope import Microscope
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.settings import SiteSettings
from micrograph.workers import Supervisor

_LAST_RESORT = 2.0
"""Seconds that the processes have to end by themselves."""
_LOG = logging.getLogger("micrograph.web")


@dataclass(frozen=True)
class SiteProcess:
    """Makes the application in one of the processes; `address` is that of the broker."""

    settings: SiteSettings
    address: str

    def __call__(self) -> Application:
        """What uvicorn calls there, before it takes requests."""
        _end_with_parent()
        share_between_threads()
        end_quietly()
        line, folder = QuestionLine(self.address), _writable(self.settings)
        off = _off(self.settings)
        app = self.settings.app(
            BrokeredLive(folder, Urls(), line),
            BrokeredQuestions(self.address, off),
            microscope=BrokeredMicroscope(self.address, folder, off),
        )
        try:
            line.ask("ready")
        except Unavailable:
            sys.exit(0)  # the site ended while this process began
        return app


class TurnTaking(asyncio.SelectorEventLoop):
    """Takes connections one at a time. By itself a loop takes all that wait when it wakes, and the
    process that wakes first has all the work."""

    async def create_server(  # type: ignore[override]
        self, *args: Any, backlog: int, sock: socket.socket, **more: Any
    ) -> Server:
        server = await super().create_server(*args, backlog=1, sock=sock, **more)
        sock.listen(backlog)  # so many may wait all the same
        return server


class _Ended(BaseException):
    """Breaks off asking processes whether they are alive: one that ends does not answer."""


class _Processes(Multiprocess):
    """uvicorn's supervisor, which starts a process again that ended or does not answer. It notes
    what it was ended by, and waits for nobody for long. Ctrl-C, which a terminal sends to all, is
    heard by the first process only: the others are told to end."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.ended_by: signal.Signals | None = None
        self._asking = False
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self._end)

    def _end(self, number: int, frame: FrameType | None) -> None:
        """At once, whatever we wait for: a process may take long to say that it is alive."""
        if self.ended_by is None:
            self.ended_by = signal.Signals(number)
            last_resort = threading.Timer(_LAST_RESORT, self._kill_all)
            last_resort.daemon = True
            last_resort.start()
        self.should_exit.set()
        for one in self.processes:
            with suppress(ProcessLookupError, TypeError):  # the last: it has not begun
                os.kill(one.process.pid, signal.SIGTERM)  # type: ignore[arg-type]
        if self._asking:
            raise _Ended

    def init_processes(self) -> None:
        with _deaf_to_interrupts():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        with suppress(_Ended):
            self._asking = True
            super().keep_subprocess_alive()
        self._asking = False

    def _kill_all(self) -> None:
        for one in multiprocessing.active_children():
            one.kill()


def serve_by_several(
    settings: SiteSettings,
    listener: socket.socket,
    count: int,
    announce: Callable[[], None],
    options: Mapping[str, Any],
) -> None:
    """Answer at `listener` with `count` processes until interrupted; `options` are uvicorn's.

    This process answers nobody: it starts what ends, and holds the one queue of what renders and
    looks for all. Raises KeyboardInterrupt after Ctrl-C, and ends by SIGTERM after that.
    """
    workers = Supervisor()
    ready = _Ready(count, announce)
    broker = Broker(
        Live(_writable(settings), Urls(), workers=workers),
        PictureQuestions(workers=workers, off=_off(settings)),
        ready,
        Microscope(_writable(settings), off=_off(settings)),
    )
    config = uvicorn.Config(
        SiteProcess(settings, broker.address),
        factory=True,
        workers=count,
        loop=f"{__name__}:{TurnTaking.__name__}",
        **options,
    )
    config.configure_logging()
    processes = _Processes(config, [listener])
    try:
        processes.run()
    finally:
        broker.close()
        workers.close()
    if processes.ended_by is signal.SIGINT:
        raise KeyboardInterrupt
    if processes.ended_by is signal.SIGTERM:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)


class _Ready:
    """Called when a process is about to answer: says the address once, and each that is started
    again."""

    def __init__(self, count: int, announce: Callable[[], None]) -> None:
        self._count, self._announce = count, announce
        self._lock = threading.Lock()
        self._seen = 0

    def __call__(self) -> None:
        with self._lock:
            self._seen += 1
            seen = self._seen
        if seen == 1:
            self._announce()
        elif seen > self._count:
            _LOG.warning("a process of the site ended and was started again")


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started here are so for ever; we ourselves hear of Ctrl-C afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _writable(settings: SiteSettings) -> Path | None:
    return None if settings.read_only else settings.writable


def _off(settings: SiteSettings) -> str:
    return READ_ONLY if settings.read_only else ""


def _end_with_parent() -> None:
    """However the first process ends, the others must not go on: they hold the port."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
