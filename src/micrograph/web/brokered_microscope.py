"""Live pictures, as one of several processes of a site asks for them."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from micrograph.errors import Unavailable
from micrograph.events import from_json
from micrograph.web.channel import Channel
from micrograph.web.microscope import Microscope, OnEvent
from micrograph.web.reader import Reader
from micrograph.web.told import answer_in


class BrokeredMicroscope(Microscope):
    """Pictures that all processes have made by the workers of one."""

    def __init__(self, address: str, folder: Path | None = None, off: str = "") -> None:
        super().__init__(folder, off=off)
        self._address = address
        self._lock = threading.Lock()
        self._open: set[Channel] = set()

    def answer(
        self,
        model: str,
        digest: str,
        question: Mapping[str, Any],
        client: str,
        on_event: OnEvent,
        reader: Reader,
    ) -> dict[str, Any]:
        asked = {"model": model, "digest": digest, "question": dict(question), "client": client}
        try:
            with Channel.to(self._address) as channel:
                with self._lock:
                    self._open.add(channel)
                reader.when_gone(channel.hang_up)
                channel.send({"do": "live", **asked})
                try:
                    while "event" in (told := channel.receive()):
                        on_event(from_json(told["event"]))
                finally:
                    with self._lock:
                        self._open.discard(channel)
        except (EOFError, OSError):
            reason = "the reader has left" if reader.has_left else "the site is closing"
            raise Unavailable(reason) from None
        found: Mapping[str, Any] = answer_in(told)
        return dict(found)

    def get_ready(self, model: str, digest: str) -> bool:
        if self.reason:
            raise Unavailable(self.reason)
        try:
            with Channel.to(self._address) as channel:
                channel.send({"do": "get ready", "model": model, "digest": digest})
                return bool(answer_in(channel.receive()))
        except (EOFError, OSError):
            raise Unavailable("the site is closing") from None

    def close(self) -> None:
        """Take back all questions; the broker ends the workers."""
        with self._lock:
            there = list(self._open)
        for channel in there:
            channel.hang_up()
