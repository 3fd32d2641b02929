"""Pictures that are made while readers watch, without torch in this process."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from micrograph.atlas.kept import Kept
from micrograph.errors import Conflict, MicrographError, Unavailable
from micrograph.events import Event
from micrograph.web.picture_questions import TorchWork
from micrograph.web.reader import Reader
from micrograph.workers import (
    ClientFull,
    Pool,
    PoolFull,
)

NICENESS = 5
"""Pages come first; what nobody watches comes last."""
REMEMBERED = 24 << 20
"""Bytes of finished pictures that are kept, to be shown again at once."""

OnEvent = Callable[[Event], None]


class TooMany(MicrographError):
    """One client asks for more at a time than its share."""

    status = 429


def live_command(model: str, digest: str) -> list[str]:
    """What is run: it ends when its standard input closes, so it never outlives the site."""
    return [sys.executable, "-m", "micrograph", "live", model, "--digest", digest]


@dataclass(frozen=True)
class Wish:
    """A picture that somebody wants to watch: `options` are those of the lens. `digest` is that of
    the model's weights. `keep` has it stored in an atlas when it is there."""

    model: str
    digest: str
    node: str
    unit: int
    options: Mapping[str, Any]
    keep: bool = False

    @property
    def key(self) -> str:
        """Equal where the picture is."""
        return json.dumps({**asdict(self), "keep": False}, sort_keys=True)


class Microscope(TorchWork):
    """A warm worker for each model in use makes pictures in turns.

    `folder` is where pictures are kept; None: nowhere. `off` is why nothing is made here, "" where
    it is. Whoever gives a `pool` closes it, too.
    """

    def __init__(
        self,
        folder: Path | None = None,
        command: Callable[[str, str], Sequence[str]] = live_command,
        pool: Pool | None = None,
        *,
        off: str = "",
    ) -> None:
        needs = "live pictures need" if command is live_command else ""
        super().__init__("makes pictures", off, needs)
        self.folder, self.command = folder, command
        self._pool = pool or Pool(niceness=NICENESS)
        self._finished: Kept[bytes] = Kept(REMEMBERED, len)

    def make(
        self,
        wish: Wish,
        client: str,
        on_event: OnEvent = lambda event: None,
        reader: Reader | None = None,
    ) -> dict[str, Any]:
        """The finished picture, as the worker tells it. `on_event` is called with steps and frames
        on the way, in a thread of the pool.

        Raises TooMany and Conflict where too many wait, Unavailable without torch or weights, and
        when the `reader` leaves before; and what is wrong with the wish.
        """
        if self.reason:
            raise Unavailable(self.reason)
        found = self._ask(wish, client, on_event, reader or Reader())
        self._finished.put(wish.key, json.dumps(found).encode())
        return found

    def get_ready(self, model: str, digest: str) -> bool:
        """Have the worker of a model started, where that takes none from others; whether it is
        there. Raises Unavailable without torch."""
        if self.reason:
            raise Unavailable(self.reason)
        return self._pool.make_ready(self.command(model, digest))

    def estimate(
        self, model: str, digest: str, node: str, client: str, reader: Reader | None = None
    ) -> dict[str, Any]:
        """How long a render of what a node lacks would take, or without a node of all: `results`,
        `seconds`, `bytes`, and in words `said`. Raises as `make`."""
        if self.reason:
            raise Unavailable(self.reason)
        question = {"node": node or None, "folder": str(self.folder)}
        return self.answer(
            model, digest, {"estimate": question}, client, lambda event: None, reader or Reader()
        )

    def finished(self, wish: Wish) -> dict[str, Any] | None:
        """The picture, where it was made not long ago."""
        kept = self._finished.find(wish.key)
        return None if kept is None else dict(json.loads(kept))

    def close(self) -> None:
        """End the workers, also in the middle of a picture."""
        self._pool.close()

    def _ask(self, wish: Wish, client: str, on_event: OnEvent, reader: Reader) -> dict[str, Any]:
        folder = str(self.folder) if wish.keep and self.folder is not None else None
        make = {"node": wish.node, "unit": wish.unit, "options": dict(wish.options)}
        question = {"make": {**make, "folder": folder}}
        return self.answer(wish.model, wish.digest, question, client, on_event, reader)

    def answer(
        self,
        model: str,
        digest: str,
        question: Mapping[str, Any],
        client: str,
        on_event: OnEvent,
        reader: Reader,
    ) -> dict[str, Any]:
        """What the worker of a model answers to a question. Raises as `make`."""
        try:
            command = self.command(model, digest)
            asked = self._pool.submit(command, question, client, on_event)
        except ClientFull as full:
            raise TooMany(
                f"{full.open} pictures are being made for you already; stop one of them, or wait"
            ) from None
        except PoolFull as full:
            raise Conflict(f"{full.waiting} pictures are being made; try again soon") from None
        reader.when_gone(lambda: self._pool.cancel(asked))
        with self.failing_in_words(reader):
            return dict(asked.result())
