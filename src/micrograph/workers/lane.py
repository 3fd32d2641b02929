"""A lane: orders that are done one after the other, the most urgent first."""

import threading
from typing import Any

from micrograph.workers.order import Order
from micrograph.workers.process import WorkerProcess
from micrograph.workers.ticket import Cancelled, Ticket, TicketState


class Lane:
    """One process at a time. A worker that answers questions is kept warm for the next one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._changed = threading.Condition()
        self._queue: list[Ticket] = []
        self._running: Ticket | None = None
        self._taken_back = self._making_way = False
        self._process: WorkerProcess | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._overdue: threading.Timer | None = None

    @property
    def process(self) -> WorkerProcess | None:
        """The process at work, or kept warm."""
        return self._process

    def waiting(self, order: Order) -> int:
        """How many orders of this priority are not done yet, the one at work included."""
        with self._changed:
            open_ = [*self._queue, *([self._running] if self._running else [])]
            return sum(ticket.order.priority == order.priority for ticket in open_)

    def add(self, ticket: Ticket) -> None:
        """Queue it; what runs, if it is resumable and less urgent, makes way."""
        with self._changed:
            if self._closed:
                _cancel(ticket)
                return
            self._queue.append(ticket)
            running = self._running
            if (
                running is not None
                and running.order.resumable
                and ticket.order.priority < running.order.priority
            ):
                self._making_way = True
                self._stop(running)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name=f"micrograph-{self.name}", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def cancel(self, ticket: Ticket) -> None:
        """Take it back: it never begins, or its process is told of it, or told to end."""
        with self._changed:
            if ticket in self._queue:
                self._queue.remove(ticket)
                _cancel(ticket)
            elif ticket is self._running:
                self._taken_back = True
                self._take_back(ticket.order)

    def close(self) -> None:
        """Cancel all orders and end the process, also in the middle of an answer."""
        with self._changed:
            self._closed = True
            for ticket in self._queue:
                _cancel(ticket)
            self._queue.clear()
            thread, running = self._thread, self._running
            if running is not None:
                self._taken_back = True
                self._stop(running)
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(5 + (running.order.grace if running else 0))

    def _take_back(self, order: Order) -> None:
        """A question that was not asked yet, because the worker is getting ready, never is."""
        process = self._process
        if process is None:
            return
        if order.question is None or not order.take_back:
            process.stop(order.grace)
        elif self._overdue is None and process.take_back(order.take_back):
            self._overdue = threading.Timer(order.patience, process.kill)
            self._overdue.daemon = True
            self._overdue.start()

    def _stop(self, ticket: Ticket) -> None:
        if self._process is not None:
            self._process.stop(ticket.order.grace)

    def _work(self) -> None:
        """Do what is queued; rest with a warm worker as long as it is to be kept."""
        keep = 0.0
        while (ticket := self._take(keep)) is not None:
            keep = ticket.order.keep
            value: Any = None
            error: BaseException | None = None
            try:
                value = self._carry_out(ticket.order)
            except BaseException as caught:  # the ticket's to tell, and the next one's turn
                error = caught
            self._settle(ticket, value, error)

    def _take(self, keep: float) -> Ticket | None:
        """The most urgent order; None, and the thread ends, where none comes within `keep` seconds
        or there is no worker to keep warm."""
        with self._changed:
            if not self._queue and not self._closed and self._process is not None:
                self._changed.wait_for(lambda: self._queue or self._closed, keep)
            if self._queue and not self._closed:
                ticket = min(self._queue, key=lambda one: one.urgency)
                self._queue.remove(ticket)
                ticket.move(TicketState.RUNNING)
                self._running = ticket
                return ticket
            process, self._process, self._thread = self._process, None, None
        if process is not None:
            process.close()
        return None

    def _carry_out(self, order: Order) -> Any:
        process = self._process
        if process is not None and (not process.alive or process.command != order.command):
            self._drop(process)
            process = None
        if process is None:
            process = WorkerProcess(order.command, niceness=order.niceness, shown=order.shown)
            with self._changed:
                self._process = process
                if self._taken_back:  # while it was being started
                    self._take_back(order)
                elif self._making_way:
                    process.stop(order.grace)
        try:
            if order.question is None:
                return process.run(order.seconds, order.on_event)
            return process.ask(
                order.question,
                order.seconds,
                order.start_seconds,
                order.on_event,
                lambda: not self._taken_back,
            )
        finally:
            if order.question is None or not process.alive:
                self._drop(process)

    def _drop(self, process: WorkerProcess) -> None:
        with self._changed:
            self._process = None
        process.close()

    def _settle(self, ticket: Ticket, value: Any, error: BaseException | None) -> None:
        with self._changed:
            if self._overdue is not None:  # it must not end the worker during the next question
                self._overdue.cancel()
                self._overdue.join()
                self._overdue = None
            taken_back, making_way = self._taken_back, self._making_way
            self._running, self._taken_back, self._making_way = None, False, False
            if error is None:
                ticket.settle(TicketState.DONE, value)
            elif taken_back:
                _cancel(ticket)
            elif making_way:
                ticket.move(TicketState.QUEUED)
                self._queue.append(ticket)
            else:
                ticket.settle(TicketState.FAILED, error=error)


def _cancel(ticket: Ticket) -> None:
    ticket.settle(TicketState.CANCELLED, error=Cancelled())
