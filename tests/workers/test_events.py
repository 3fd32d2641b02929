"""Events and tasks are plain data: what is written is read again, and nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograph.errors import BadInput
from micrograph.events import (
    Answer,
    Event,
    Failed,
    Step,
    Stored,
    Waiting,
    from_json,
    from_line,
    to_line,
)
from micrograph.tasks import Task

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
STEPS = st.integers(1, 10**6).flatmap(
    lambda steps: st.builds(
        Step, st.integers(0, steps), st.just(steps), st.none() | st.just("data:image/webp;base64,A")
    )
)
EVENTS = st.one_of(
    STEPS,
    st.builds(Stored, st.text(min_size=1)),
    st.builds(Waiting, st.integers(0, 99), *[st.none() | st.floats(0, 1e6)] * 2),
    st.builds(Failed, st.text(), st.integers(400, 599)),
    st.builds(Answer, JSON),
)
TASKS = st.builds(
    Task,
    model=st.text(),
    recipe=st.builds(
        lambda more, named: more | named,
        st.dictionaries(st.text(), JSON, max_size=3),
        st.fixed_dictionaries(
            {"technique": st.just("lens"), "view": st.text(min_size=1), "seed": st.integers(0, 9)}
        ),
    ),
    units=st.dictionaries(
        st.text(),
        st.none() | st.lists(st.integers(0, 10**6), min_size=1, unique=True).map(tuple),
        min_size=1,
        max_size=3,
    ),
    options=st.dictionaries(st.text(), JSON, max_size=3),
    frames=st.integers(0, 10**6),
)


@given(EVENTS)
def test_events_come_back_from_their_line(event: Event) -> None:
    line = to_line(event)
    assert line.count("\n") == 1
    assert from_line(line) == from_line(line.encode()) == event


@given(TASKS)
def test_tasks_come_back_from_their_text(task: Task) -> None:
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert task.size == sum(len(units) if units else 1 for units in task.units.values())


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "ready",
        {},
        {"step": 1},
        {"step": 3, "steps": 2},
        {"step": -1, "steps": 2},
        {"step": True, "steps": 2},
        {"step": 1.0, "steps": 2},
        {"step": 1, "steps": 2, "frame": "http://elsewhere"},
        {"step": 1, "steps": 2, "more": 3},
        {"stored": ""},
        {"stored": 3},
        {"error": 3},
        {"error": "no", "status": 200},
        {"error": "no", "status": "503"},
        {"error": "no", "answer": 3},
        {"answer": 1, "step": 1},
    ],
    ids=str,
)
def test_what_is_no_event_is_refused(data: Any) -> None:
    with pytest.raises(BadInput, match="is no event"):
        from_json(data)


@pytest.mark.parametrize("line", [b"", b"loading weights", b"\xff\xfe", b"{'answer': 1}"])
def test_lines_that_are_no_json_are_refused(line: bytes) -> None:
    with pytest.raises(BadInput, match="is no event"):
        from_line(line)


RECIPE = {"technique": "lens", "view": "v", "seed": 0, "a": 1}
GOOD = Task("m", RECIPE, {"n": (1, 2), "whole": None}).to_json()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe": RECIPE | {"seed": True}}, "seed 'True'"),
        ({"recipe": RECIPE | {"seed": "0"}}, "is no number"),
        ({"recipe": {"seed": 0, "view": "v"}}, "technique 'None'"),
        ({"recipe": {"seed": 0, "technique": "lens"}}, "view 'None'"),
        ({"model": None}, "expected a text"),
        ({"recipe": []}, "expected a JSON object"),
        ({"units": {}}, "without units"),
        ({"units": {"n": []}}, "units '\\[\\]' of n"),
        ({"units": {"n": [-1]}}, "of n"),
        ({"units": {"n": [1, 1]}}, "each once"),
        ({"units": {"n": [1.5]}}, "of n"),
        ({"units": {"n": "0-3"}}, "of n"),
        ({"more": 1}, "is no task"),
    ],
)
def test_what_is_no_task_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Task.from_json({**GOOD, **change})
