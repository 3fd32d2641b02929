"""The one place that starts processes for the site, watches over them and ends them."""

import itertools
import threading

from micrograph.workers.lane import Lane
from micrograph.workers.order import Order
from micrograph.workers.process import WorkerProcess
from micrograph.workers.ticket import Ticket

RENDER = "render"
"""The lane of what writes into atlases: a file has one writer at a time."""
LOOK = "look"
"""The lane of questions about pictures, which readers wait for."""


class QueueFull(Exception):
    """`waiting` orders of this kind are not done yet, and no more are taken."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} orders wait already")
        self.waiting = waiting


class Supervisor:
    """Carries out orders in lanes, one process at a time in each lane.

    An order that fails, or whose process is killed, fails alone: the next one begins anew. All
    processes end with `close`, and with our own process however that ends.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._closed = False

    def submit(self, lane: str, order: Order, most: int | None = None) -> Ticket:
        """Queue an order. Raises QueueFull where `most` orders of its priority are open already."""
        with self._lock:
            found = self._lane(lane)
            if most is not None and (waiting := found.waiting(order)) >= most:
                raise QueueFull(waiting)
            ticket = Ticket(order, next(self._numbers))
            found.add(ticket)
            return ticket

    def cancel(self, lane: str, ticket: Ticket) -> None:
        """Take an order back: if it runs, its process is told to end. Does not wait for that."""
        with self._lock:
            found = self._lane(lane)
        found.cancel(ticket)

    def process(self, lane: str) -> WorkerProcess | None:
        """The process that is at work in a lane, or kept warm there."""
        with self._lock:
            return self._lane(lane).process

    def close(self, lane: str | None = None) -> None:
        """Cancel all orders of a lane (of all) and end its process. It takes no more orders: they
        are cancelled at once."""
        with self._lock:
            self._closed = self._closed or lane is None
            lanes = list(self._lanes.values()) if lane is None else [self._lane(lane)]
        closing = [threading.Thread(target=one.close, daemon=True) for one in lanes]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()

    def _lane(self, name: str) -> Lane:
        if name not in self._lanes:
            self._lanes[name] = Lane(name)
            if self._closed:
                self._lanes[name].close()
        return self._lanes[name]
