"""Progress: a rate that is right, lines now and then, a bar in a terminal."""

import io
import re

import pytest
from rich.console import Console

from micrograph.runner.progress import Bar, Lines, Rate, duration, first_line, progress_for


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_looks_back_a_minute() -> None:
    clock = Clock()
    rate = Rate(1000, clock)
    assert str(rate) == "starting"
    for _ in range(200):  # slow nodes first: one picture in two seconds
        clock.now += 2
        rate.add((clock.now - 100) / 2)
    assert rate.per_second == pytest.approx(0.5)
    assert str(rate) == "2.0 s each, 27 min left"
    for done in range(200, 400, 4):  # then fast ones: two a second
        clock.now += 2
        rate.add(done)
    assert rate.per_second == pytest.approx(2, rel=0.02)
    assert str(rate) == "2.0/s, 5 min left"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (11100, "3 h 05 min")],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_lines_every_ten_seconds() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock=clock)
    lines.start(100, 7, "here.atlas")
    for done in range(1, 51):
        clock.now += 1
        lines.update(done, "conv0 channel")
    lines.finish()
    told = stream.getvalue().splitlines()
    assert first_line(1, 0, "here.atlas") == "1 to do: here.atlas"
    assert told[0] == "100 to do, 7 are there already: here.atlas"
    assert told[1] == "10 of 100, 1.0/s, 90 s left, at conv0 channel".replace("90 s", "2 min")
    assert len(told) == 1 + 5


def test_a_bar_shows_count_and_rate() -> None:
    stream = io.StringIO()
    bar = Bar(Console(file=stream, force_terminal=True, width=100))
    bar.start(40, 0, "here.atlas")
    bar.update(10, "conv0 channel")
    bar.update(20, "conv0 channel")
    bar.finish()
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert "40 to do: here.atlas" in text
    assert "20/40" in text
    assert "/s, 0 s left" in text or "s each" in text


def test_what_is_told_never_goes_back() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, every=1, clock=clock)
    lines.start(10, 0, "here.atlas")
    for done in (4, 2, 3, 5):  # a batch that did not fit began again
        clock.now += 1
        lines.update(done, "conv0 channel")
    counts = [int(line.split()[0]) for line in stream.getvalue().splitlines()[1:]]
    assert counts == [4, 4, 4, 5]
    assert "1.2/s, 4 s left" in stream.getvalue().splitlines()[-1]


def test_no_terminal_means_lines() -> None:
    assert isinstance(progress_for(io.StringIO()), Lines)
