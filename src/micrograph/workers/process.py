"""One process that works for us, and the events that it tells."""

import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any

from micrograph.errors import BadInput, MicrographError
from micrograph.events import Answer, Event, Failed, from_line
from micrograph.workers.giving_way import give_way
from micrograph.workers.quiet_threads import quiet_environment


class Refusal(MicrographError):
    """What a worker answered instead of an answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class WorkerTimeout(Exception):
    """No answer within `seconds`; the process was ended."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:.0f} seconds")
        self.seconds = seconds


class WorkerDied(Exception):
    """The process ended with `status` (negative: by that signal) and without an answer. `said` are
    the last lines of its errors."""

    def __init__(self, status: int, said: Sequence[str]) -> None:
        super().__init__(said[-1] if said else f"status {status}")
        self.status, self.said = status, tuple(said)


class WorkerProcess:
    """A process; to be asked one thing at a time. Raises OSError where it cannot be started.

    Its standard input is its lifeline: the pipe closes when our process ends, however it does, and
    then it is to end too.
    """

    def __init__(self, command: Sequence[str], *, niceness: int = 0, shown: bool = False) -> None:
        self.command = tuple(command)
        told = None if shown else subprocess.PIPE
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=told,
            stderr=told,
            start_new_session=True,
            env=quiet_environment(),
        )
        give_way(self._process.pid, niceness)
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._errors: deque[str] = deque(maxlen=20)
        self._readers = [
            threading.Thread(target=read, args=(pipe,), daemon=True)
            for read, pipe in (
                (self._read_events, self._process.stdout),
                (self._read_errors, self._process.stderr),
            )
            if pipe is not None
        ]
        self._waiter = threading.Thread(target=self._wait_for_end, daemon=True)
        for thread in (*self._readers, self._waiter):
            thread.start()
        self._ready = False
        self._sending = threading.Lock()
        self._sender: threading.Thread | None = None
        self._last_resort: threading.Timer | None = None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs still."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status, negative where a signal ended it; None while it runs."""
        return self._process.poll()

    def run(self, seconds: float | None, on_event: Callable[[Event], None] | None = None) -> Any:
        """Wait until it has done its work and ended: its answer, or None where it gave none.

        Raises Refusal as it says, WorkerDied for another status than 0, WorkerTimeout.
        """
        answer = None
        end = None if seconds is None else time.monotonic() + seconds
        while (event := self._next(end, seconds)) is not None:
            match event:
                case Failed(reason, status):
                    raise Refusal(reason, status)
                case Answer(value):
                    answer = value
                case _:
                    self._tell(event, on_event)
        status = self._process.wait()
        if status:
            raise self._death(status)
        return answer

    def ask(
        self,
        question: bytes,
        seconds: float | None,
        start_seconds: float,
        on_event: Callable[[Event], None] | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Any:
        """The answer to a question, which it gets as it is on its standard input if it is `wanted`
        still when the worker is ready.

        Raises Refusal as it says and for what is not wanted, WorkerDied if it ends instead,
        WorkerTimeout. It is alive still after a Refusal of a question; where it could not get ready
        it is not.
        """
        if not self._ready:
            try:
                self._answer(start_seconds, None)
            except Refusal:
                self.kill()
                raise
            self._ready = True
        # In a thread of its own: a worker that does not read must not hold us beyond `seconds`.
        with self._sending:
            if not wanted():
                raise Refusal("the question was taken back", 503)
            self._sender = threading.Thread(target=self._write, args=(question,), daemon=True)
            self._sender.start()
        try:
            return self._answer(seconds, on_event)
        finally:
            with self._sending:
                self._sender = None

    def take_back(self, words: bytes) -> bool:
        """Write `words` on its standard input, behind the question that it answers; False where it
        has none. Returns at once."""
        with self._sending:
            sender = self._sender
        if sender is None:
            return False

        def write() -> None:
            sender.join()
            self._write(words)

        threading.Thread(target=write, daemon=True).start()
        return True

    def write(self, words: bytes) -> None:
        """Put `words` on its standard input; where it has ended, that is heard of otherwise."""
        self._write(words)

    def next_line(self) -> bytes | None:
        """The next line of what it tells, or None when it has ended and told all. For a process
        that is not asked one thing at a time."""
        return self._lines.get()

    def death(self) -> WorkerDied:
        """How it ended."""
        return self._death(self._process.wait())

    def stop(self, grace: float) -> None:
        """Tell it to end; where it has not done so after `grace` seconds it is killed."""
        if grace <= 0:
            self.kill()
            return
        self._process.terminate()
        if self._last_resort is None:
            self._last_resort = threading.Timer(grace, self.kill)
            self._last_resort.daemon = True
            self._last_resort.start()

    def kill(self) -> None:
        """End it and what it started, whatever they do, and wait, so that nobody finds it alive."""
        if self.alive:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self.pid, signal.SIGKILL)
                else:
                    self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill it and close the pipes."""
        self.kill()
        if self._last_resort is not None:
            self._last_resort.cancel()
        for thread in (self._waiter, *self._readers):
            thread.join(5)
        if any(reader.is_alive() for reader in self._readers):
            return  # something that it started holds the pipes; closing them would wait for that
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _answer(self, seconds: float | None, on_event: Callable[[Event], None] | None) -> Any:
        end = None if seconds is None else time.monotonic() + seconds
        while (event := self._next(end, seconds)) is not None:
            match event:
                case Failed(reason, status):
                    raise Refusal(reason, status)
                case Answer(value):
                    return value
                case _:
                    self._tell(event, on_event)
        raise self._death(self._process.wait())

    def _next(self, end: float | None, seconds: float | None) -> Event | None:
        """The next event, or None when it has ended and told all. Raises WorkerTimeout after `end`,
        WorkerDied (having killed it) for a line that is no event."""
        left = None if end is None else max(0.0, end - time.monotonic())
        try:
            line = self._lines.get(timeout=left)
        except queue.Empty:
            self.kill()
            raise WorkerTimeout(seconds or 0.0) from None
        if line is None:
            return None
        try:
            return from_line(line)
        except BadInput as error:
            self.kill()
            raise WorkerDied(self._process.returncode, [str(error)]) from None

    def _tell(self, event: Event, on_event: Callable[[Event], None] | None) -> None:
        if on_event is not None:
            try:
                on_event(event)
            except BaseException:
                self.kill()  # else its answer would be taken for that to the next question
                raise

    def _death(self, status: int) -> WorkerDied:
        return WorkerDied(status, tuple(self._errors))

    def _write(self, question: bytes) -> None:
        stdin = self._process.stdin
        with suppress(OSError, ValueError):  # that it has ended is heard of by the waiting side
            if stdin is not None:
                stdin.write(question)
                stdin.flush()

    def _read_events(self, pipe: IO[bytes]) -> None:
        with suppress(ValueError, OSError):
            for line in pipe:
                self._lines.put(line)

    def _read_errors(self, pipe: IO[bytes]) -> None:
        with suppress(ValueError, OSError):
            for line in pipe:
                if text := line.decode(errors="replace").strip():
                    self._errors.append(text)

    def _wait_for_end(self) -> None:
        """What it said last is read before its end is told; a process that it left behind may hold
        the pipes open for longer."""
        self._process.wait()
        for reader in self._readers:
            reader.join(2)
        self._lines.put(None)
