"""How far a render or a sweep is: a bar in a terminal, plain lines elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as RichProgress

_WINDOW = 60.0
"""Seconds that the rate looks back: nodes differ in cost, so older times say little."""


class Progress(Protocol):
    """Shows how far the work is. Counts are results of a render, or pictures swept; a batch under
    way counts in part."""

    def start(self, total: int, there: int, where: str) -> None: ...
    def update(self, done: float, doing: str) -> None: ...
    def finish(self) -> None: ...


class Silent:
    """Says nothing."""

    def start(self, total: int, there: int, where: str) -> None: ...
    def update(self, done: float, doing: str) -> None: ...
    def finish(self) -> None: ...


class Rate:
    """How many in a second, over the last minute, and the time left. It never goes back: work that
    begins again, with less memory or after an error, counts only beyond what was done before."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._points: deque[tuple[float, float]] = deque([(clock(), 0.0)])

    def add(self, done: float) -> float:
        """Note that `done` are made. Returns the largest number so far, to be shown."""
        now, done = self._clock(), max(done, self._points[-1][1])
        self._points.append((now, done))
        while now - self._points[1][0] > _WINDOW:
            self._points.popleft()
        return done

    @property
    def per_second(self) -> float:
        """0 as long as nothing is known."""
        (t0, d0), (t1, d1) = self._points[0], self._points[-1]
        return (d1 - d0) / (t1 - t0) if t1 > t0 else 0.0

    def __str__(self) -> str:
        rate = self.per_second
        if rate <= 0:
            return "starting"
        left = (self._total - self._points[-1][1]) / rate
        speed = f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"
        return f"{speed}, {duration(left)} left"


def duration(seconds: float) -> str:
    """For people: "45 s", "12 min", "3 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def first_line(total: int, there: int, where: str) -> str:
    """The first line: how much there is to do."""
    known = f", {there} are there already" if there else ""
    return f"{total} to do{known}: {where}"


class Lines:
    """A line now and then, for logs."""

    def __init__(
        self, stream: TextIO, every: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._every = every
        self._clock = clock

    def start(self, total: int, there: int, where: str) -> None:
        self._total = total
        self._rate = Rate(total, self._clock)
        self._next = self._clock() + self._every
        print(first_line(total, there, where), file=self._stream, flush=True)

    def update(self, done: float, doing: str) -> None:
        done = self._rate.add(done)
        if self._clock() >= self._next:
            self._next = self._clock() + self._every
            line = f"{int(done)} of {self._total}, {self._rate}, at {doing}"
            print(line, file=self._stream, flush=True)

    def finish(self) -> None: ...


class Bar:
    """A bar that stays on one line."""

    def __init__(self, console: Console) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[count]}"),
            TextColumn("{task.fields[rate]}", style="dim"),
            console=console,
            refresh_per_second=4,
        )

    def start(self, total: int, there: int, where: str) -> None:
        self._total = total
        self._rate = Rate(total)
        self._bar.console.print(first_line(total, there, where), highlight=False, soft_wrap=True)
        self._task: TaskID = self._bar.add_task("", total=total, count=f"0/{total}", rate="")
        self._bar.start()

    def update(self, done: float, doing: str) -> None:
        done = self._rate.add(done)
        self._bar.update(
            self._task,
            completed=done,
            description=doing,
            count=f"{int(done)}/{self._total}",
            rate=str(self._rate),
        )

    def finish(self) -> None:
        self._bar.stop()


def progress_for(stream: TextIO | None = None) -> Progress:
    """A bar where `stream` (default: standard error) is a terminal, else lines."""
    stream = stream or sys.stderr
    console = Console(file=stream)
    return Bar(console) if console.is_terminal else Lines(stream)
