"""Rendering and looking, as one of several processes of a site asks for them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograph.errors import Unavailable
from micrograph.parts.urls import Urls
from micrograph.steps import StepHook
from micrograph.web.channel import Channel
from micrograph.web.live import Live
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.reader import Reader
from micrograph.web.render_state import RenderState
from micrograph.web.told import answer_in

if TYPE_CHECKING:
    from PIL import Image


class QuestionLine:
    """Short questions to the broker at `address`, one at a time."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._channel: Channel | None = None

    def ask(self, do: str, **more: Any) -> Any:
        """The broker's answer. Raises what it refuses with, Unavailable where it is gone."""
        with self._lock:
            try:
                if self._channel is None:
                    self._channel = Channel.to(self._address)
                self._channel.send({"do": do, **more})
                told = self._channel.receive()
            except (EOFError, OSError):
                self._drop()
                raise Unavailable("the site is closing") from None
        return answer_in(told)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


class BrokeredLive(Live):
    """Renders for all processes: they wait in one queue, and each page says how far they are."""

    knows_state = False

    def __init__(self, folder: Path | None, urls: Urls, line: QuestionLine) -> None:
        super().__init__(folder, urls)
        self._line = line

    def state(
        self, model: str, node: str, unit: int, technique: str = "", units: str = ""
    ) -> RenderState:
        asked = [model, node, unit, technique, units]
        return RenderState(**self._line.ask("state", unit=asked))

    def ask(
        self, model: str, node: str, unit: int, technique: str = "", units: str = ""
    ) -> RenderState:
        asked = [model, node, unit, technique, units]
        return RenderState(**self._line.ask("render", unit=asked))

    def stop(self, model: str, node: str, units: str) -> RenderState:
        return RenderState(**self._line.ask("stop", unit=[model, node, units]))

    def close(self) -> None:
        """Ask no more; the broker ends the render at work."""
        self._line.close()


class BrokeredQuestions(PictureQuestions):
    """Questions about pictures, which all processes put to one worker."""

    def __init__(self, address: str, off: str = "") -> None:
        super().__init__(off=off)
        self._address = address
        self._open: set[Channel] = set()

    def ask(
        self,
        model: str,
        digest: str,
        request: Mapping[str, Any],
        image: "Image.Image",
        on_step: StepHook | None = None,
        reader: Reader | None = None,
    ) -> Any:
        if self.reason:
            raise Unavailable(self.reason)
        question = {"do": "look", "model": model, "digest": digest, "request": dict(request)}
        reader = reader or Reader()
        try:
            with Channel.to(self._address) as channel, self._opened(channel):
                reader.when_gone(channel.hang_up)
                channel.send({**question, "size": image.size}, image.tobytes())
                while "step" in (told := channel.receive()):
                    if on_step is not None:
                        on_step(told["step"], told["steps"])
        except (EOFError, OSError):
            reason = "the reader has left" if reader.has_left else "the site is closing"
            raise Unavailable(reason) from None
        return answer_in(told)

    def close(self) -> None:
        """Take back all questions; the broker ends the worker."""
        with self._lock:
            there = list(self._open)
        for channel in there:
            channel.hang_up()

    @contextmanager
    def _opened(self, channel: Channel) -> Iterator[None]:
        with self._lock:
            self._open.add(channel)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(channel)
