"""Who is next: work in several threads of which one goes on at a time, a step each.

Whoever has had least goes first, by the clock, so that a reader with four pictures has no more of
the machine than one with a single one.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Dropped(BaseException):
    """Ends work whose result nobody will ask for. A BaseException, so that no network catches
    it."""


class Turn:
    """One piece of work. `clients` are those who wait for it: without any it rests."""

    def __init__(self, *clients: str) -> None:
        self._clients = clients
        self.spent = 0.0
        """Seconds that it has had."""
        self.dropped = False

    @property
    def clients(self) -> Sequence[str]:
        return self._clients


class StepTurns:
    """Gives turns to whoever wants to go on. Methods may be called from any thread; what `clients`
    follow from may be changed by whoever holds `changed`, and then calls `look_again`."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._all: list[Turn] = []
        self._now: Turn | None = None
        self._had: dict[str, float] = {}

    def join(self, turn: Turn) -> None:
        """It wants to go on."""
        with self.changed:
            self._all.append(turn)
            self.look_again()

    def leave(self, turn: Turn) -> None:
        """It has ended, whether or not it is its turn."""
        with self.changed:
            self._all.remove(turn)
            if self._now is turn:
                self._now = None
            self.look_again()

    def wait(self, turn: Turn) -> None:
        """Until it is its turn. Raises Dropped."""
        with self.changed:
            self.changed.wait_for(lambda: turn.dropped or self._now is turn)
            if turn.dropped:
                raise Dropped

    def give_up(self, turn: Turn, seconds: float) -> None:
        """Its turn is over, and took so long."""
        with self.changed:
            turn.spent += seconds
            for client in turn.clients:
                self._had[client] = self._had.get(client, 0.0) + seconds / len(turn.clients)
            if self._now is turn:
                self._now = None
            self.look_again()

    def drop(self, turn: Turn) -> None:
        """Nobody will ask for it: it ends with its next step."""
        with self.changed:
            turn.dropped = True
            self.changed.notify_all()

    def look_again(self) -> None:
        """Somebody came or left. Who comes has had as much as the one who had least: no more, and
        no debt to make up. With `changed` held."""
        waiting = [turn for turn in self._all if turn.clients and not turn.dropped]
        here = dict.fromkeys(client for turn in waiting for client in turn.clients)
        least = min((self._had[one] for one in here if one in self._had), default=0.0)
        self._had = {client: self._had.get(client, least) for client in here}
        if self._now is None and waiting:
            self._now = min(waiting, key=self._urgency)
        self.changed.notify_all()

    @contextmanager
    def aside(self, client: str) -> Iterator[None]:
        """One turn for something that has no steps."""
        turn = Turn(client)
        self.join(turn)
        try:
            self.wait(turn)
            yield
        finally:
            self.leave(turn)

    def _urgency(self, turn: Turn) -> tuple[float, float]:
        return min(self._had[client] for client in turn.clients), turn.spent
