"""Looking at a reader's own picture through a model, without torch in this process."""

import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from micrograph.errors import Conflict, Unavailable
from micrograph.steps import StepHook
from micrograph.web.look_worker import Worker, look_command

if TYPE_CHECKING:
    from PIL import Image

WAITING = 4
"""Questions that may wait behind the one that is answered."""
LIMIT = 60.0
"""Seconds that an answer may take; a caricature three times as long."""
IDLE = 300.0
"""Seconds without a question after which the worker is let go, and its memory with it."""
REMEMBERED = 256
"""Heat maps of stored pictures that are kept."""
LARGE = 2048
"""Short side in pixels from which on pictures are reduced before they go to the worker."""
_CLOSING = "the site is closing"


class Look:
    """One model at a time is held by a worker; one question at a time is answered."""

    def __init__(self, command: Callable[[str, str], Sequence[str]] = look_command) -> None:
        self.command = command
        self._turn = threading.Lock()
        self._state = threading.Lock()
        self._waiting = 0
        self._worker: Worker | None = None
        self._holds = ("", "")
        self._rest: threading.Timer | None = None
        self._maps: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._closed = False

    @property
    def reason(self) -> str:
        """Why no picture can be looked at here, or "" when torch is there for it."""
        if self.command is look_command and importlib.util.find_spec("torch") is None:
            return "looking at pictures needs torch, which is not installed here: pip install torch"
        return ""

    def ask(
        self,
        model: str,
        digest: str,
        request: Mapping[str, Any],
        image: "Image.Image",
        on_step: StepHook | None = None,
    ) -> Any:
        """The worker's answer about an RGB picture; `digest` is that of the model's weights.

        Raises Unavailable without torch or weights, and when it takes too long; Conflict when too
        many wait.
        """
        if self.reason:
            raise Unavailable(self.reason)
        with self._state:
            if self._waiting > WAITING:
                raise Conflict("several pictures wait to be looked at already; try again soon")
            self._waiting += 1
        try:
            with self._turn:
                return self._answer((model, digest), request, image, on_step)
        finally:
            with self._state:
                self._waiting -= 1

    def remembered(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """`make()`, or what it gave before under `key`."""
        with self._state:
            if key in self._maps:
                self._maps.move_to_end(key)
                return self._maps[key]
        made = make()
        with self._state:
            self._maps[key] = made
            while len(self._maps) > REMEMBERED:
                self._maps.popitem(last=False)
        return made

    def close(self) -> None:
        """End the worker, also in the middle of an answer."""
        with self._state:
            self._closed = True
            worker, self._worker = self._worker, None
            if self._rest is not None:
                self._rest.cancel()
        if worker is not None:
            worker.close()

    def _answer(
        self,
        wanted: tuple[str, str],
        request: Mapping[str, Any],
        image: "Image.Image",
        on_step: StepHook | None,
    ) -> Any:
        image = _smaller(image)
        worker = self._hired(wanted)
        limit = LIMIT * 3 if request["ask"] == "caricature" else LIMIT
        full = {**request, "shape": [image.height, image.width, 3]}
        try:
            return worker.ask(full, image.tobytes(), limit, on_step)
        finally:
            if not worker.alive:
                self._let_go(worker)
            else:
                self._rest_later()

    def _hired(self, wanted: tuple[str, str]) -> Worker:
        """The worker that holds the model; started if it is not there."""
        with self._state:
            if self._closed:
                raise Unavailable(_CLOSING)
            worker = self._worker
            if self._rest is not None:
                self._rest.cancel()
        if worker is not None and worker.alive and self._holds == wanted:
            return worker
        if worker is not None:
            self._let_go(worker)
        try:
            worker = Worker(self.command(*wanted))
        except OSError as error:
            raise Unavailable(f"no process to look at pictures: {error}") from None
        if not self._keep(worker, wanted):
            worker.close()
            raise Unavailable(_CLOSING)
        return worker

    def _keep(self, worker: Worker, holds: tuple[str, str]) -> bool:
        """False if the site was closed in the meantime."""
        with self._state:
            if not self._closed:
                self._worker, self._holds = worker, holds
            return not self._closed

    def _let_go(self, worker: Worker) -> None:
        with self._state:
            if self._worker is worker:
                self._worker = None
        worker.close()

    def _rest_later(self) -> None:
        with self._state:
            if not self._closed:
                self._rest = threading.Timer(IDLE, self._idle)
                self._rest.daemon = True
                self._rest.start()

    def _idle(self) -> None:
        if self._turn.acquire(blocking=False):  # else somebody asks just now
            try:
                with self._state:
                    worker = self._worker
                if worker is not None:
                    self._let_go(worker)
            finally:
                self._turn.release()


def _smaller(image: "Image.Image") -> "Image.Image":
    """A photograph of a modern camera has many times the pixels that any network sees."""
    factor = min(image.size) // (LARGE // 2)
    return image.reduce(factor) if min(image.size) >= LARGE else image
