"""Rendering and looking for several processes of a site: one queue for all of them.

A process asks over a channel: a line, behind a question about a picture its pixels, and lines come
back. Who hangs up takes the question back.
"""

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from micrograph.events import Event
from micrograph.web.channel import Channel
from micrograph.web.live import Live
from micrograph.web.microscope import Microscope
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.reader import Reader
from micrograph.web.told import told_of

_LONGEST = 90
"""Bytes of a folder's path; the system takes 107 for a socket in it."""


class Broker:
    """Answers the processes of a site, until it is closed.

    `ready` is called, in a thread, whenever one of them is about to answer its readers.
    """

    def __init__(
        self,
        live: Live,
        look: PictureQuestions,
        ready: Callable[[], None],
        microscope: Microscope | None = None,
    ) -> None:
        self._live, self._look, self._ready = live, look, ready
        self._microscope = microscope or Microscope()
        self._open: set[Channel] = set()
        self._folder = _private_folder()
        self.address = str(self._folder / "work")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.address)
        self._listener.listen(128)
        threading.Thread(target=self._accept, name="broker", daemon=True).start()

    def close(self) -> None:
        """End what renders and looks, and answer no more."""
        self._live.close()
        self._look.close()
        self._microscope.close()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for channel in list(self._open):
            channel.hang_up()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(Channel(link),), daemon=True).start()

    def _serve(self, channel: Channel) -> None:
        with channel, self._opened(channel), suppress(EOFError, OSError):
            while (asked := channel.receive())["do"] not in ("look", "live"):
                channel.send(told_of(lambda: self._answer(asked)))
            if asked["do"] == "live":
                channel.send(told_of(lambda: self._make(channel, asked)))
                return
            pixels = channel.read(asked["size"][0] * asked["size"][1] * 3)
            channel.send(told_of(lambda: self._look_at(channel, asked, pixels)))

    @contextmanager
    def _opened(self, channel: Channel) -> Iterator[None]:
        self._open.add(channel)
        try:
            yield
        finally:
            self._open.discard(channel)

    def _answer(self, asked: Mapping[str, Any]) -> Any:
        match asked["do"]:
            case "ready":
                return self._ready()
            case "render":
                return asdict(self._live.ask(*asked["unit"]))
            case "get ready":
                return self._microscope.get_ready(asked["model"], asked["digest"])
            case "stop":
                return asdict(self._live.stop(*asked["unit"]))
            case _:
                return asdict(self._live.state(*asked["unit"]))

    def _make(self, channel: Channel, asked: Mapping[str, Any]) -> Any:
        def on_event(event: Event) -> None:
            with suppress(OSError):  # that nobody reads it is heard of otherwise
                channel.send({"event": event.to_json()})

        return self._microscope.answer(
            asked["model"],
            asked["digest"],
            asked["question"],
            asked["client"],
            on_event,
            _reader_at(channel),
        )

    def _look_at(self, channel: Channel, asked: Mapping[str, Any], pixels: bytes) -> Any:
        from PIL import Image

        reader = _reader_at(channel)

        def on_step(step: int, steps: int) -> None:
            with suppress(OSError):  # that nobody reads it is heard of by `watch`
                channel.send({"step": step, "steps": steps})

        image = Image.frombytes("RGB", tuple(asked["size"]), pixels)
        return self._look.ask(
            asked["model"], asked["digest"], asked["request"], image, on_step, reader
        )


def _reader_at(channel: Channel) -> Reader:
    """Who asked; gone when the other end hangs up."""
    reader = Reader()

    def watch() -> None:
        with suppress(EOFError, OSError, ValueError):  # the last: closed on our side
            channel.wait_for_end()
        reader.leave()

    threading.Thread(target=watch, daemon=True).start()
    return reader


def _private_folder() -> Path:
    """A new folder that nobody else may enter."""
    folder = Path(tempfile.mkdtemp(prefix="micrograph-"))
    if len(os.fsencode(folder)) > _LONGEST:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="micrograph-", dir="/tmp"))
    return folder
