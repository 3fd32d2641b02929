"""Frames: pictures as they stand, told with the steps, that change nothing in what is made."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from test_executor import comparable, tasks_of

from micrograph.errors import BadInput
from micrograph.events import Answer, Event, Step, from_line, to_line
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.pictures import open_shipped
from micrograph.runner import look, render
from micrograph.runner.executor import LocalExecutor
from micrograph.runner.frames import MOST, SIDE, frame, step_hook
from micrograph.runner.results import TaskResults
from micrograph.steps import StepState, Watch
from micrograph.tasks import Task

START = "data:image/webp;base64,"


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def decoded(url: str) -> np.ndarray:
    assert url.startswith(START)
    packed = base64.b64decode(url.removeprefix(START), validate=True)
    return np.asarray(Image.open(io.BytesIO(packed)).convert("RGB")).astype(int)


def test_a_frame_is_the_picture_up_to_its_encoding() -> None:
    owl = np.asarray(open_shipped("owl").resize((96, 96)))
    assert np.abs(decoded(frame(owl[None])) - owl).mean() < 6
    row = decoded(frame(np.stack([owl, owl[::-1], owl, owl, owl])))
    assert row.shape == (96, 4 * 96, 3), "the first four, side by side"
    assert np.abs(row[:, 96:192] - owl[::-1]).mean() < 6


def test_frames_are_bounded() -> None:
    large = np.random.default_rng(0).integers(0, 256, (2, 600, 400, 3), dtype=np.uint8)
    url = frame(large)
    assert len(url) <= MOST
    height, width, _ = decoded(url).shape
    assert height <= SIDE
    assert width / height == pytest.approx(800 / 600, rel=0.02)


def run(model: Model, path: Path, tasks: list[Task]) -> tuple[list[dict[str, Any]], list[Step]]:
    """What was made, without how it was asked for, and all steps."""
    told: list[Step] = []
    made = []
    for event in LocalExecutor(model, path).run(tasks, lambda task, step: told.append(step)):
        if isinstance(event, TaskResults):
            made.append(comparable(replace(event, task=replace(event.task, frames=0))))
    return made, told


@pytest.mark.parametrize(
    ("lens", "options"),
    [("feature_vis", {}), ("caricature", {"images": ["owl"]}), ("maco", {}), ("diversity", {})],
)
def test_results_are_the_same_bits_with_frames(
    toytown: Model, tmp_path: Path, lens: str, options: dict[str, Any]
) -> None:
    more = {"steps": 5} if lens == "caricature" else {"steps": 5, "size": 32}
    tasks = tasks_of(toytown, tmp_path, lens, "conv1", range(2), **more, **options)
    assert tasks
    without, plain = run(toytown, tmp_path / "a.atlas", tasks)
    asked = [replace(task, frames=2) for task in tasks]
    asked = [Task.from_json(json.loads(json.dumps(task.to_json()))) for task in asked]
    with_frames, told = run(toytown, tmp_path / "b.atlas", asked)
    assert with_frames == without
    assert [(s.step, s.steps) for s in told] == [(s.step, s.steps) for s in plain]
    assert not any(s.frame for s in plain)
    assert any(s.frame for s in told)
    assert [from_line(to_line(s)) for s in told] == told


def test_the_last_frame_is_what_is_stored(toytown: Model, tmp_path: Path) -> None:
    tasks = tasks_of(toytown, tmp_path, "feature_vis", "conv1", range(1), size=32, steps=5)
    told: list[Step] = []
    (made, _) = LocalExecutor(toytown, tmp_path / "a.atlas").run(
        [replace(task, frames=2) for task in tasks], lambda task, step: told.append(step)
    )
    assert [s.step for s in told if s.frame] == [2, 4, 5]
    assert isinstance(made, TaskResults)
    (result,) = made.results
    assert told[-1].frame == frame(result.image[None])
    assert told[-1].frame != next(s.frame for s in told if s.frame), "it moved"


def test_a_caricature_on_the_way(toytown: Model) -> None:
    told: list[Step] = []
    picture = look.fit(np.asarray(open_shipped("owl")), toytown)
    url = look.caricature(toytown, picture, "conv1", step_hook(told.append, 50))
    assert url == look.caricature(toytown, picture, "conv1")
    last = told[-1]
    assert last.step == last.steps
    assert np.abs(decoded(last.frame or "") - decoded(url)).mean() < 6


def test_no_picture_is_rendered_that_nobody_asked_for() -> None:
    def unwanted() -> np.ndarray:
        raise AssertionError("rendered")

    told: list[Step] = []
    assert not isinstance(step_hook(told.append), Watch)
    hook = step_hook(told.append, 100)
    assert isinstance(hook, Watch)
    hook.callback(StepState(99, 200, unwanted))
    assert told == [Step(99, 200)]


def test_steps_that_come_in_strides_have_frames_as_often() -> None:
    told: list[Step] = []
    hook = step_hook(told.append, 10)
    assert isinstance(hook, Watch)
    for step in (0, 7, 14, 14, 21, 28):
        hook.callback(StepState(step, 28, lambda: np.zeros((1, 4, 4, 3), np.uint8)))
    assert [s.step for s in told if s.frame] == [14, 21, 28]


def test_render_tells_them(toytown: Model, tmp_path: Path) -> None:
    told: list[Event] = []
    short = {"nodes": "conv1", "units": "0", "size": 32, "steps": 4}
    render(toytown, tmp_path, frames=3, on_event=told.append, **short)
    assert [e.step for e in told if isinstance(e, Step) and e.frame] == [3, 4]
    assert not any(isinstance(e, Answer) for e in told)


@pytest.mark.parametrize("frames", [-1, 1.5, True, "2"])
def test_frames_that_are_no_number_of_steps_are_refused(
    toytown: Model, tmp_path: Path, frames: Any
) -> None:
    with pytest.raises(BadInput, match="expected a number of steps"):
        render(toytown, tmp_path / "new", nodes="conv1", frames=frames)
    with pytest.raises(BadInput, match="expected a number of steps"):
        Task.from_json(
            {
                "model": "m",
                "recipe": {"technique": "lens", "view": "v", "seed": 0},
                "units": {"n": [1]},
                "options": {},
                "frames": frames,
            }
        )
    assert not (tmp_path / "new").exists()
