"""Pictures that several readers watch: in turns, stopped within a step, and what recipes say."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrograph import lenses
from micrograph.atlas import Atlas
from micrograph.events import Answer, Event, Failed, Step, Stored
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.recipe import digest
from micrograph.runner import live, render
from micrograph.runner.live import MOST_STEPS, LiveRuns
from micrograph.runner.turns import StepTurns, Turn

SMALL = {"size": 32}


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


class Watcher:
    """What was told of each question."""

    def __init__(self) -> None:
        self.events: dict[int, list[Event]] = {}
        self._changed = threading.Condition()

    def __call__(self, of: int, event: Event) -> None:
        with self._changed:
            self.events.setdefault(of, []).append(event)
            self._changed.notify_all()

    def last(self, of: int) -> Event:
        """The end of a question."""
        self.wait(lambda: self.ends(of))
        return self.events[of][-1]

    def answer(self, of: int) -> dict[str, Any]:
        event = self.last(of)
        assert isinstance(event, Answer), event
        return dict(event.value)

    def ends(self, of: int) -> bool:
        return isinstance(self.events.get(of, [None])[-1], Answer | Failed)

    def steps(self, of: int) -> list[int]:
        return [event.step for event in self.events.get(of, []) if isinstance(event, Step)]

    def wait(self, condition: Any) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, 60)


@pytest.fixture
def watched(toytown: Model) -> Iterator[tuple[LiveRuns, Watcher]]:
    told = Watcher()
    runs = LiveRuns(toytown, told)
    yield runs, told
    for number in list(told.events):
        runs.cancel(number)
    runs.close()


def begin(runs: LiveRuns, number: int, unit: int = 3, client: str = "one", **options: Any) -> None:
    folder = options.pop("folder", None)
    given = {**SMALL, "steps": 4, **options}
    runs.begin(number, client, {"node": "conv1", "unit": unit, "options": given, "folder": folder})


def test_steps_and_frames_and_the_picture_that_its_recipe_gives(
    watched: tuple[LiveRuns, Watcher], toytown: Model
) -> None:
    runs, told = watched
    begin(runs, 1, steps=5)
    answer = told.answer(1)
    assert told.steps(1) == [1, 2, 3, 4, 5]
    first = told.events[1][0]
    assert isinstance(first, Step)
    assert first.frame is not None
    engine = lenses.get("experiment")
    (job,) = engine.jobs(toytown, steps=5, **SMALL)
    assert digest(job.recipe) == answer["recipe_digest"]
    (made,) = engine.run(toytown, "conv1", [3], job)  # type: ignore[union-attr]
    assert answer["score"] == made.score
    assert answer["map"] == list(toytown.run(_grey(32), ["conv1"])["conv1"].shape[2:])


def test_it_goes_on_where_it_was_and_what_is_there_is_not_made_again(
    watched: tuple[LiveRuns, Watcher],
) -> None:
    runs, told = watched
    begin(runs, 1, steps=3)
    short = told.answer(1)
    begin(runs, 2, steps=6)
    long = told.answer(2)
    assert told.steps(2) == [4, 5, 6]
    begin(runs, 3, steps=6)
    assert told.answer(3)["frame"] == long["frame"]
    assert told.steps(3) == []
    begin(runs, 4, steps=3)  # behind us: from the start
    assert told.answer(4)["frame"] == short["frame"]
    assert told.steps(4) == [1, 2, 3]


def test_it_ends_within_a_step_when_nobody_watches(watched: tuple[LiveRuns, Watcher]) -> None:
    runs, told = watched
    begin(runs, 1, steps=MOST_STEPS)
    told.wait(lambda: len(told.steps(1)) >= 3)
    runs.cancel(1)
    before = len(told.steps(1))
    begin(runs, 2, steps=MOST_STEPS)  # which says how far it went meanwhile
    told.wait(lambda: told.steps(2))
    assert told.steps(2)[0] <= before + 2
    assert len(told.steps(1)) <= before + 1
    runs.cancel(2)
    time.sleep(0.3)
    rested = len(told.steps(2))
    time.sleep(0.2)
    assert len(told.steps(2)) == rested


def test_two_who_watch_the_same_picture_share_it(watched: tuple[LiveRuns, Watcher]) -> None:
    runs, told = watched
    begin(runs, 1, steps=MOST_STEPS)
    told.wait(lambda: len(told.steps(1)) >= 2)
    begin(runs, 2, steps=MOST_STEPS, client="two")
    told.wait(lambda: told.steps(2))
    assert told.steps(2)[0] > 1
    runs.cancel(1)
    seen = len(told.steps(2))
    told.wait(lambda: len(told.steps(2)) > seen + 2)


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"unit": 4000}, 404, "out of range"),
        ({"steps": MOST_STEPS + 1}, 400, "at most"),
        ({"objective": "neuron", "at": "999-1"}, 400, "outside the map"),
        ({"others": "nope/3"}, 404, "unknown node"),
        ({"others": "conv1/4000"}, 404, "out of range"),
        ({"steps": "many"}, 400, "whole number"),
    ],
)
def test_what_cannot_be_is_one_line(
    watched: tuple[LiveRuns, Watcher], options: dict[str, Any], status: int, words: str
) -> None:
    runs, told = watched
    begin(runs, 1, **options)
    failed = told.last(1)
    assert isinstance(failed, Failed)
    assert failed.status == status
    assert words in failed.reason
    assert "\n" not in failed.reason


def test_what_is_kept_is_what_a_render_would_have_stored(
    watched: tuple[LiveRuns, Watcher], toytown: Model, tmp_path: Path
) -> None:
    runs, told = watched
    more = {"together": 2, "others": "-0.5*conv1/7", "sign": "negative", "transforms": "none"}
    begin(runs, 1, folder=str(tmp_path / "live"), **more)
    answer = told.answer(1)
    assert told.events[1][-2] == Stored("conv1/3")
    options: dict[str, Any] = {**SMALL, "steps": 4, **more}
    place: dict[str, Any] = {"nodes": "conv1", "units": 3, "technique": "experiment"}
    done = render(toytown, tmp_path / "rendered", **place, **options)
    assert render(toytown, tmp_path / "live", **place, **options).there == 1
    with Atlas.open(done.path) as made, Atlas.open(tmp_path / "live/toytown.atlas") as kept:
        (one,), (other,) = (atlas.visualizations("conv1", 3) for atlas in (made, kept))
    assert digest(one.recipe) == digest(other.recipe) == answer["recipe_digest"]
    assert one.score == other.score == answer["score"]
    assert one.data == other.data
    assert one.picture is not None
    assert other.picture is not None
    assert one.picture.digest == other.picture.digest


def test_what_fails_at_the_end_is_told_and_costs_one_wish(
    watched: tuple[LiveRuns, Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, told = watched
    with monkeypatch.context() as changed:
        changed.setattr(live.ENGINE, "finished", lambda *asked: 1 / 0)
        begin(runs, 1, steps=3)
        failed = told.last(1)
    assert isinstance(failed, Failed)
    assert "division by zero" in failed.reason
    begin(runs, 2, steps=4)
    assert told.answer(2)["step"] == 4


def test_a_turn_goes_to_the_client_who_had_least() -> None:
    turns, had = StepTurns(), {"greedy": 0, "modest": 0}
    stop = threading.Event()

    def work(turn: Turn) -> None:
        while True:
            turns.wait(turn)
            if stop.is_set():
                turns.leave(turn)
                return
            had[turn.clients[0]] += 1
            turns.give_up(turn, 1.0)

    work_of = [Turn("greedy"), Turn("greedy"), Turn("greedy"), Turn("modest")]
    for turn in work_of:
        turns.join(turn)
    threads = [threading.Thread(target=work, args=(turn,)) for turn in work_of]
    for thread in threads:
        thread.start()
    while sum(had.values()) < 200:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert 0.8 < had["greedy"] / had["modest"] < 1.25


def _grey(size: int) -> Any:
    import torch

    return torch.from_numpy(np.full((1, 3, size, size), 0.5, np.float32))
