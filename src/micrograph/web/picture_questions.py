"""What a model makes of a reader's own picture, without torch in this process."""

import importlib.util
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from micrograph.errors import Conflict, Unavailable
from micrograph.events import Event, Step
from micrograph.steps import StepHook
from micrograph.web.reader import Reader
from micrograph.workers import (
    LOOK,
    Cancelled,
    Order,
    QueueFull,
    Supervisor,
    WorkerDied,
    WorkerTimeout,
)

if TYPE_CHECKING:
    from PIL import Image

WAITING = 4
"""Questions that may wait behind the one that is answered."""
LIMIT = 60.0
"""Seconds that an answer may take; one of `SLOW` three times as long."""
SLOW = ("caricature", "graph", "steer")
IDLE = 300.0
"""Seconds without a question after which the worker is ended, and its memory freed."""
START = 180.0
"""Seconds that loading torch and the model may take."""
NICENESS = 5
"""Pages come first, but readers wait for this too."""
REMEMBERED = 8 << 20
"""Bytes of answers about stored pictures that are kept: a graph has 200 kB."""
TAKE_BACK = b'{"cancel": true}\n'
"""What tells the worker that nobody waits for its answer any more."""


def look_command(model: str, digest: str) -> list[str]:
    """What is run: it ends when its standard input closes, so it never outlives the site."""
    return [sys.executable, "-m", "micrograph", "look", model, "--digest", digest]


class TorchWork:
    """What processes with torch do for the site. `off` is why it is not done here, "" where it is;
    `needs` what is said where torch is not installed, "" where the work is done without."""

    def __init__(self, does: str, off: str, needs: str) -> None:
        self._does, self._off, self._needs = does, off, needs

    @cached_property
    def _has_torch(self) -> bool:
        """Looked for once: every page wants to know."""
        return importlib.util.find_spec("torch") is not None

    @property
    def reason(self) -> str:
        """Why it cannot be done here, or "" where it can."""
        if self._off:
            return self._off
        if self._needs and not self._has_torch:
            return f"{self._needs} torch, which is not installed here: pip install torch"
        return ""

    @contextmanager
    def failing_in_words(self, reader: Reader | None) -> Iterator[None]:
        """Raises Unavailable, with words for readers, where a process did not come to an answer."""
        try:
            yield
        except Cancelled:
            gone = "the reader has left" if reader and reader.has_left else "the site is closing"
            raise Unavailable(gone) from None
        except WorkerTimeout as error:
            raise Unavailable(f"{error}; the machine may be busy, try again") from None
        except WorkerDied as error:
            raise Unavailable(
                f"the process that {self._does} has ended ({str(error)[:300]}); try again"
            ) from None
        except OSError as error:
            raise Unavailable(f"no process that {self._does}: {error}") from None


class PictureQuestions(TorchWork):
    """One model at a time is held by a worker; one question at a time is answered.

    `workers` are those of the site; without them it has its own. `off` is why no picture is looked
    at here, "" where they are.
    """

    def __init__(
        self,
        command: Callable[[str, str], Sequence[str]] = look_command,
        workers: Supervisor | None = None,
        *,
        off: str = "",
    ) -> None:
        needs = "looking at pictures needs" if command is look_command else ""
        super().__init__("looks at pictures", off, needs)
        self.command = command
        self.workers = workers or Supervisor()
        self._lock = threading.Lock()
        self._maps: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._size = 0

    def ask(
        self,
        model: str,
        digest: str,
        request: Mapping[str, Any],
        image: "Image.Image",
        on_step: StepHook | None = None,
        reader: Reader | None = None,
    ) -> Any:
        """The worker's answer about an RGB picture; `digest` is that of the model's weights.

        Raises Unavailable without torch or weights, when it takes too long, and when the `reader`
        leaves before; Conflict when too many wait.
        """
        if self.reason:
            raise Unavailable(self.reason)
        order = Order(
            tuple(self.command(model, digest)),
            question=_question(request, image),
            seconds=LIMIT * 3 if request["ask"] in SLOW else LIMIT,
            start_seconds=START,
            keep=IDLE,
            niceness=NICENESS,
            on_event=_for_steps(on_step),
            take_back=TAKE_BACK,
        )
        try:
            ticket = self.workers.submit(LOOK, order, WAITING + 1)
        except QueueFull:
            raise Conflict(
                "several pictures wait to be looked at already; try again soon"
            ) from None
        if reader is not None:
            reader.when_gone(lambda: self.workers.cancel(LOOK, ticket))
        with self.failing_in_words(reader):
            return ticket.result()

    def remembered(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """`make()`, or what it gave before under `key`."""
        with self._lock:
            if key in self._maps:
                self._maps.move_to_end(key)
                return json.loads(self._maps[key])
        made = make()
        written = json.dumps(made).encode()
        with self._lock:
            self._size += len(written) - len(self._maps.pop(key, b""))
            self._maps[key] = written
            while self._size > REMEMBERED:
                self._size -= len(self._maps.popitem(last=False)[1])
        return made

    def close(self) -> None:
        """End the worker, also in the middle of an answer."""
        self.workers.close(LOOK)


def _question(request: Mapping[str, Any], image: "Image.Image") -> bytes:
    """A line of JSON, and behind it the pixels."""
    full = {**request, "shape": [image.height, image.width, 3]}
    return json.dumps(full).encode() + b"\n" + image.tobytes()


def _for_steps(on_step: StepHook | None) -> Callable[[Event], None] | None:
    if on_step is None:
        return None

    def on_event(event: Event) -> None:
        if isinstance(event, Step):
            on_step(event.step, event.steps)

    return on_event
