"""What a model makes of a reader's own picture, without torch in this process."""

import importlib.util
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
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


class PictureQuestions:
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
        self.command, self._off = command, off
        self.workers = workers or Supervisor()
        self._lock = threading.Lock()
        self._maps: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._size = 0

    @cached_property
    def _has_torch(self) -> bool:
        """Looked for once: every page wants to know."""
        return importlib.util.find_spec("torch") is not None

    @property
    def reason(self) -> str:
        """Why no picture can be looked at here, or "" when torch is there for it."""
        if self._off:
            return self._off
        if self.command is look_command and not self._has_torch:
            return "looking at pictures needs torch, which is not installed here: pip install torch"
        return ""

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
            if reader is not None:
                reader.when_gone(lambda: self.workers.cancel(LOOK, ticket))
            return ticket.result()
        except QueueFull:
            raise Conflict(
                "several pictures wait to be looked at already; try again soon"
            ) from None
        except Cancelled:
            if reader is not None and reader.has_left:
                raise Unavailable("the reader has left") from None
            raise Unavailable("the site is closing") from None
        except WorkerTimeout as error:
            raise Unavailable(f"{error}; the machine may be busy, try again") from None
        except WorkerDied as error:
            raise Unavailable(
                f"the process that looks at pictures has ended ({str(error)[:300]})"
            ) from None
        except OSError as error:
            raise Unavailable(f"no process to look at pictures: {error}") from None

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
