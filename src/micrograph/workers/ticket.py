"""An order on its way: where it stands, and what came of it."""

import threading
from enum import Enum
from typing import Any

from micrograph.workers.order import Order


class TicketState(Enum):
    """Where an order stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cancelled(Exception):
    """The order was taken back, or the supervisor closed, before there was an answer."""


class Ticket:
    """What the supervisor gives for an order. `number` says in which turn it was given."""

    def __init__(self, order: Order, number: int) -> None:
        self.order, self.number = order, number
        self._settled = threading.Event()
        self._state = TicketState.QUEUED
        self._value: Any = None
        self._error: BaseException | None = None

    @property
    def state(self) -> TicketState:
        """Where it stands."""
        return self._state

    @property
    def error(self) -> BaseException | None:
        """What went wrong, once the state is FAILED or CANCELLED."""
        return self._error

    @property
    def urgency(self) -> tuple[int, int]:
        """The smaller, the sooner."""
        return self.order.priority, self.number

    def wait(self, seconds: float | None = None) -> bool:
        """Until the state is final, or `seconds` have passed; whether it is final."""
        return self._settled.wait(seconds)

    def result(self) -> Any:
        """The answer, once it is there. Raises what went wrong: Refusal, WorkerDied, WorkerTimeout,
        OSError where the command could not be started, Cancelled."""
        self._settled.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def move(self, state: TicketState) -> None:
        """For the supervisor: begun, or to be begun again."""
        self._state = state

    def settle(
        self, state: TicketState, value: Any = None, error: BaseException | None = None
    ) -> None:
        """For the supervisor: the end of it."""
        self._value, self._error, self._state = value, error, state
        self._settled.set()
