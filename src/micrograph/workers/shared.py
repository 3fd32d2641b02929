"""A process that answers several questions at a time, told apart by their numbers."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from micrograph.errors import BadInput
from micrograph.events import Answer, Event, Failed, from_numbered_line
from micrograph.workers.process import Refusal, WorkerDied, WorkerProcess

OnEvent = Callable[["SharedWorker", int, Event], None]
"""Called with what a process tells and the number of the question that it is of."""
OnEnd = Callable[["SharedWorker", Exception], None]
"""Called when a process has ended: WorkerDied, or as it could not get ready a Refusal."""


class SharedWorker:
    """Tells `on_event` of all that a process says, and `on_end` of its end: by the thread that
    reads it. Raises OSError where it cannot be started.

    `open` are the numbers of questions that it has not answered, `ready_since` (monotonic) when its
    model was there.
    """

    def __init__(
        self,
        command: Sequence[str],
        on_event: OnEvent,
        on_end: OnEnd,
        niceness: int = 0,
    ) -> None:
        self.open: set[int] = set()
        self.ready_since: float | None = None
        self._on_event, self._on_end = on_event, on_end
        self._process = WorkerProcess(command, niceness=niceness)
        self._writing = threading.Lock()
        threading.Thread(target=self._listen, name="live-worker", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def memory(self) -> int:
        """Bytes that it holds in memory; 0 where the system does not say."""
        with suppress(OSError, ValueError, IndexError), open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def ask(self, number: int, question: Mapping[str, Any]) -> None:
        """Send a question; what comes of it is told."""
        self.open.add(number)
        self._send({"of": number, **question})

    def cancel(self, number: int) -> None:
        """Take a question back: the process hears of it, and nothing more is told."""
        self.open.discard(number)
        self._send({"cancel": number})

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()

    def close(self) -> None:
        """End it and give its pipes back."""
        self._process.close()

    def _send(self, data: Mapping[str, Any]) -> None:
        """Questions are short, and the process reads them at once, whatever else it does."""
        with self._writing:
            self._process.write(json.dumps(data).encode() + b"\n")

    def _listen(self) -> None:
        while (line := self._process.next_line()) is not None:
            try:
                of, event = from_numbered_line(line)
            except BadInput as error:
                self._process.kill()
                self._on_end(self, WorkerDied(-9, [str(error)]))
                return
            if of is None and isinstance(event, Failed):  # it could not get ready
                self._process.kill()
                self._on_end(self, Refusal(event.reason, event.status))
                return
            if of is None:
                self.ready_since = time.monotonic()
                continue
            if isinstance(event, Answer | Failed):
                self.open.discard(of)
            self._on_event(self, of, event)
        self._on_end(self, self._process.death())
