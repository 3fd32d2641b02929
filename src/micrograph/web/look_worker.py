"""A process that has a model loaded and answers questions about pictures: `micrograph look`.

So the site never imports torch, and a second question need not wait for the model.
"""

import json
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from micrograph.errors import MicrographError, Unavailable
from micrograph.steps import StepHook

START = 180.0
"""Seconds that loading torch and the model may take."""


def look_command(model: str, digest: str) -> list[str]:
    """What is run: it ends when its standard input closes, so it never outlives the site."""
    return [sys.executable, "-m", "micrograph", "look", model, "--digest", digest]


class Refusal(MicrographError):
    """What the worker answered instead of an answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Worker:
    """One process; to be asked one thing at a time. Raises OSError where it cannot be started."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._said: deque[str] = deque(maxlen=20)
        self._readers = (
            threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._overhear, args=(self._process.stderr,), daemon=True),
        )
        for reader in self._readers:
            reader.start()
        self._ready = False

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    def ask(
        self,
        request: Mapping[str, Any],
        pixels: bytes,
        limit: float,
        on_step: StepHook | None = None,
    ) -> Any:
        """The answer to `request` about raw RGB `pixels`, within `limit` seconds.

        Raises Refusal as the worker says, Unavailable if it ends or takes too long; ask another one
        then.
        """
        if not self._ready:
            try:
                self._wait(START, None)
            except MicrographError:
                self._kill()
                raise
            self._ready = True
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.write(pixels)
            stdin.flush()
        except OSError:
            raise self._ended() from None
        return self._wait(limit, on_step)

    def close(self) -> None:
        """End it, whatever it does."""
        self._kill()
        for reader in self._readers:
            reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _kill(self) -> None:
        """And wait for it, so that nobody finds it alive."""
        self._process.kill()
        self._process.wait()

    def _wait(self, limit: float, on_step: StepHook | None) -> Any:
        end = time.monotonic() + limit
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                self._kill()
                raise Unavailable(
                    f"no answer within {limit:.0f} seconds; the machine may be busy, try again"
                ) from None
            if line is None:
                raise self._ended()
            message = json.loads(line)
            if "error" in message:
                raise Refusal(str(message["error"]), int(message.get("status", 503)))
            if "answer" in message:
                return message["answer"]
            if on_step is not None:
                on_step(int(message["step"]), int(message["steps"]))

    def _ended(self) -> Unavailable:
        self._kill()
        self._readers[1].join(1)
        last = self._said[-1] if self._said else f"status {self._process.returncode}"
        return Unavailable(f"the process that looks at pictures has ended ({last[:300]})")

    def _listen(self, pipe: IO[bytes]) -> None:
        with suppress(ValueError, OSError):
            for line in pipe:
                self._lines.put(line)
        self._lines.put(None)

    def _overhear(self, pipe: IO[bytes]) -> None:
        with suppress(ValueError, OSError):
            for line in pipe:
                if text := line.decode(errors="replace").strip():
                    self._said.append(text)
