"""What a worker is to do."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from micrograph.events import Event


class Priority(IntEnum):
    """Who waits for it. What has the smaller number is done first."""

    READER = 0
    BACKGROUND = 1


@dataclass(frozen=True)
class Order:
    """A command, and what it is asked.

    Without a `question` the command is run once: it does its work and ends; its answer is what it
    gave as such, or None. With one it is a worker that says "ready" and then answers questions: it
    gets the bytes on its standard input, and is kept for `keep` seconds for the next question to
    the same command.

    `seconds` bounds the time to the answer (None: any time), `start_seconds` the time to "ready".
    An order that is `resumable` may be ended for a more urgent one and is begun again after it.
    `grace` is the time in seconds between being told to end (SIGTERM) and being killed.
    A question is taken back by writing `take_back` on the worker's standard input; where it has
    answered nothing after `patience` seconds more, or there is nothing to write, it is ended.
    `niceness` is added to the process's own, so that 10 leaves the site the processor. What is
    `shown` writes to our own output and errors, and gives no events.
    """

    command: tuple[str, ...]
    question: bytes | None = None
    priority: Priority = Priority.READER
    seconds: float | None = None
    start_seconds: float = 180.0
    keep: float = 0.0
    resumable: bool = False
    grace: float = 0.0
    take_back: bytes = b""
    patience: float = 5.0
    niceness: int = 0
    shown: bool = False
    on_event: Callable[[Event], None] | None = None
    """Called with steps and what is stored, in a thread of the supervisor. Where it raises, the
    worker is ended and the order fails with that."""
