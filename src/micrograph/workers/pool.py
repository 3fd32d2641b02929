"""Warm workers, one for each command in use: bounded in number and memory, the least used ends.

Whoever waits gets a fair share: of those who wait the next is always one of the client that has
fewest questions at work, and among these the one that came first. A question that needs a worker
which is not there holds back those behind it, so that workers in use fall free for it. Who waits is
told so, and for what. A worker can be had ready before it is asked, where that costs nobody theirs.
"""

import itertools
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from micrograph.events import Answer, Event, Failed, Waiting
from micrograph.workers.process import Refusal, WorkerTimeout
from micrograph.workers.shared import SharedWorker
from micrograph.workers.ticket import Cancelled

REMEMBERED = 64
"""Commands of which it is known when they were last made ready."""


class ClientFull(Exception):
    """A client has `open` questions that are not answered, and may have no more."""

    def __init__(self, open: int) -> None:
        super().__init__(f"{open} questions of this client are open")
        self.open = open


class PoolFull(Exception):
    """`waiting` questions are open, and no more are taken."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} questions are open")
        self.waiting = waiting


@dataclass(frozen=True)
class PoolLimits:
    """`workers` at a time, which hold `memory` bytes together; `together` questions at work in one
    of them, `open` in all and `each` of one client. A worker that nobody asks ends after `idle`
    seconds; it has `start` seconds to get ready, and `silence` until it tells something of a
    question at work. For one that is only to be ready none ends that was asked in the last
    `settled` seconds."""

    workers: int = 2
    memory: int = 6 << 30
    together: int = 4
    open: int = 64
    each: int = 4
    idle: float = 600.0
    start: float = 180.0
    silence: float = 60.0
    settled: float = 60.0


@dataclass(eq=False)
class PoolQuestion:
    """A question on its way. `begun` is None while it waits."""

    number: int
    command: tuple[str, ...]
    question: Mapping[str, Any]
    client: str
    on_event: Callable[[Event], None]
    begun: float | None = None
    heard: float = 0.0
    _settled: threading.Event = field(default_factory=threading.Event)
    _value: Any = None
    _error: BaseException | None = None

    @property
    def is_settled(self) -> bool:
        return self._settled.is_set()

    def result(self) -> Any:
        """The answer, once it is there. Raises Refusal, WorkerDied, WorkerTimeout, Cancelled."""
        self._settled.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def settle(self, value: Any = None, error: BaseException | None = None) -> None:
        """For the pool: the end of it."""
        if not self.is_settled:
            self._value, self._error = value, error
            self._settled.set()


@dataclass(eq=False)
class _Place:
    """A worker and when it was last asked."""

    worker: SharedWorker
    started: float
    used: float


class Pool:
    """Carries out questions by workers that stay for the next one. All end with `close`."""

    def __init__(
        self, limits: PoolLimits | None = None, niceness: int = 0, pause: float = 1.0
    ) -> None:
        """`pause` is the time in seconds between two looks at workers that nobody asks, or that
        tell nothing."""
        self.limits = limits or PoolLimits()
        self._niceness, self._pause = niceness, pause
        self._changed = threading.Condition()
        self._places: dict[tuple[str, ...], _Place] = {}
        self._open: dict[int, PoolQuestion] = {}
        self._numbers = itertools.count(1)
        self._took: dict[tuple[str, ...], float] = {}  # seconds until ready, the last at the end
        self._readied: dict[tuple[str, ...], float] = {}
        self._keeper: threading.Thread | None = None
        self._closed = False

    def submit(
        self,
        command: Sequence[str],
        question: Mapping[str, Any],
        client: str,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> PoolQuestion:
        """Ask the worker of a command, which is started where it is not there. `on_event` is called
        with what is told on the way, in a thread of the pool. Raises ClientFull and PoolFull."""
        with self._changed:
            own = sum(one.client == client for one in self._open.values())
            if own >= self.limits.each:
                raise ClientFull(own)
            if len(self._open) >= self.limits.open:
                raise PoolFull(len(self._open))
            asked = PoolQuestion(next(self._numbers), tuple(command), question, client, on_event)
            if self._closed:
                asked.settle(error=Cancelled())
                return asked
            self._open[asked.number] = asked
            self._watch()
            self._go_on()
        return asked

    def make_ready(self, command: Sequence[str]) -> bool:
        """Have the worker of a command started before somebody asks it; whether it is there. One
        gets ready at a time, none while questions wait for one, and none that failed just now."""
        command, now = tuple(command), time.monotonic()
        with self._changed:
            if command in self._places:
                return True
            failed = now - self._readied.get(command, -math.inf) < self.limits.settled
            starting = any(one.worker.ready_since is None for one in self._places.values())
            if self._closed or failed or starting or self._in_turn():
                return False
            while self._places and not self._has_room():
                if not self._end_least_used(now - self.limits.settled):
                    return False
            self._readied = {**dict(list(self._readied.items())[-REMEMBERED:]), command: now}
            try:
                self._start(command)
            except OSError:
                return False
            self._watch()
            return True

    def cancel(self, asked: PoolQuestion) -> None:
        """Nobody waits for the answer any more."""
        with self._changed:
            if self._open.pop(asked.number, None) is not None:
                place = self._places.get(asked.command)
                if asked.begun is not None and place is not None:
                    place.worker.cancel(asked.number)
                    place.used = time.monotonic()
                self._go_on()
        asked.settle(error=Cancelled())

    def ahead_of(self, asked: PoolQuestion) -> int:
        """How many questions begin before this one; 0 where it is at work."""
        with self._changed:
            waiting = self._in_turn()
            return waiting.index(asked) if asked in waiting else 0

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """Those of the workers that are there, the one used last at the end."""
        with self._changed:
            places = sorted(self._places.items(), key=lambda item: item[1].used)
            return [command for command, _ in places]

    def pid(self, command: Sequence[str]) -> int | None:
        """The process of a command, where it is there."""
        with self._changed:
            place = self._places.get(tuple(command))
            return place.worker.pid if place else None

    def close(self) -> None:
        """End all workers, also in the middle of an answer."""
        with self._changed:
            self._closed = True
            left, places = list(self._open.values()), list(self._places.values())
            self._open.clear()
            self._places.clear()
            self._changed.notify_all()
        for asked in left:
            asked.settle(error=Cancelled())
        for place in places:
            place.worker.close()

    def _in_turn(self) -> list[PoolQuestion]:
        """Those that wait, in the order in which they begin."""
        at_work: dict[str, int] = {}
        waiting: dict[str, list[PoolQuestion]] = {}
        for one in self._open.values():  # in the order in which they came
            if one.begun is None:
                waiting.setdefault(one.client, []).append(one)
            else:
                at_work[one.client] = at_work.get(one.client, 0) + 1
        ranked = [
            (at_work.get(client, 0) + place, one.number, one)
            for client, some in waiting.items()
            for place, one in enumerate(some)
        ]
        return [one for _, _, one in sorted(ranked, key=lambda item: item[:2])]

    def _go_on(self) -> None:
        """Let begin whatever can."""
        if self._closed:
            return
        held_back = False
        for asked in self._in_turn():
            place = self._places.get(asked.command)
            if place is None:
                if held_back or not self._make_room():
                    held_back = True
                    continue
                try:
                    place = self._start(asked.command)
                except OSError as error:
                    del self._open[asked.number]
                    asked.settle(error=error)
                    continue
            elif held_back or len(place.worker.open) >= self.limits.together:
                continue
            asked.begun = asked.heard = place.used = time.monotonic()
            place.worker.ask(asked.number, {"client": asked.client, **asked.question})

    def _make_room(self) -> bool:
        """End workers that have nothing to do, the least used first, until another may start."""
        while self._places and not self._has_room():
            if not self._end_least_used():
                return False
        return True

    def _has_room(self) -> bool:
        held = [place.worker.memory for place in self._places.values()]
        fits = sum(held) + max(held, default=0) <= self.limits.memory
        return len(held) < self.limits.workers and fits

    def _end_least_used(self, before: float = math.inf) -> bool:
        idle = [
            item
            for item in self._places.items()
            if not item[1].worker.open and item[1].used < before
        ]
        if not idle:
            return False
        command, place = min(idle, key=lambda item: item[1].used)
        self._end(command, place)
        return True

    def _note_start(self, command: tuple[str, ...], place: _Place) -> None:
        """How long it took to get ready, once it is."""
        if place.worker.ready_since is not None:
            self._took[command] = place.worker.ready_since - place.started

    def _end(self, command: tuple[str, ...], place: _Place) -> None:
        self._note_start(command, place)
        del self._places[command]
        threading.Thread(target=place.worker.close, daemon=True).start()

    def _watch(self) -> None:
        """Have somebody look after the workers."""
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep_house, daemon=True)
            self._keeper.start()

    def _start(self, command: tuple[str, ...]) -> _Place:
        worker = SharedWorker(command, self._heard, self._ended, self._niceness)
        place = self._places[command] = _Place(worker, *[time.monotonic()] * 2)
        return place

    def _heard(self, worker: SharedWorker, number: int, event: Event) -> None:
        """In the thread of the worker."""
        with self._changed:
            asked = self._open.get(number)
            if asked is None:
                return
            asked.heard = time.monotonic()
            if isinstance(event, Answer | Failed):
                del self._open[number]
                if place := self._places.get(asked.command):
                    place.used = asked.heard
                self._go_on()
        match event:
            case Answer(value):
                asked.settle(value)
            case Failed(reason, status):
                asked.settle(error=Refusal(reason, status))
            case _:
                self._tell(asked, event)

    def _tell(self, asked: PoolQuestion, event: Event) -> None:
        try:
            asked.on_event(event)
        except Exception as error:  # whoever listens: others still ask
            asked.settle(error=error)
            self.cancel(asked)

    def _ended(self, worker: SharedWorker, error: Exception) -> None:
        """In the thread of the worker, which was ended or ended itself."""
        with self._changed:
            lost = [self._open.pop(number) for number in worker.open if number in self._open]
            for command, place in list(self._places.items()):
                if place.worker is worker:
                    self._end(command, place)
            self._go_on()
        for asked in lost:
            asked.settle(error=error)

    def _keep_house(self) -> None:
        """End workers that nobody asks, that hold too much, or that tell nothing."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, self._pause)
                if self._closed:
                    return
                self._look_round(time.monotonic())
                waiting = self._waiting(time.monotonic())
            for asked, event in waiting:
                self._tell(asked, event)

    def _waiting(self, now: float) -> list[tuple[PoolQuestion, Waiting]]:
        """Those of whom nothing was heard yet, and for what they wait."""
        ahead = {one.number: k for k, one in enumerate(self._in_turn())}
        found = []
        for asked in self._open.values():
            place = self._places.get(asked.command)
            if place is not None and place.worker.ready_since is None:
                about = self._took.get(asked.command, next(reversed(self._took.values()), None))
                state = Waiting(ahead.get(asked.number, 0), now - place.started, about)
            elif asked.begun is None:
                state = Waiting(ahead[asked.number])
            else:
                continue
            found.append((asked, state))
        return found

    def _look_round(self, now: float) -> None:
        for command, place in list(self._places.items()):
            worker = place.worker
            self._note_start(command, place)
            if not worker.open and now - place.used > self.limits.idle:
                self._end(command, place)
            elif silent := self._silent(place, now):
                for one in silent:
                    one.settle(error=WorkerTimeout(self._patience(place)))
                self._end(command, place)  # at once, so that nobody asks it any more
        while self._held() > self.limits.memory and self._end_least_used():
            pass
        self._go_on()

    def _silent(self, place: _Place, now: float) -> list[PoolQuestion]:
        """The questions of which a worker has told nothing for too long."""
        since = place.worker.ready_since or place.started
        open_ = [one for number in place.worker.open if (one := self._open.get(number))]
        return [one for one in open_ if now - max(one.heard, since) > self._patience(place)]

    def _patience(self, place: _Place) -> float:
        ready = place.worker.ready_since is not None
        return self.limits.silence if ready else self.limits.start

    def _held(self) -> int:
        return sum(place.worker.memory for place in self._places.values())
