"""Tasks are self-contained: done from their JSON in another process they give the same bits."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from micrograph import lenses
from micrograph.atlas import AtlasWriter
from micrograph.errors import BadInput, Conflict
from micrograph.events import Step
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.runner.describe import dictionary_records, model_record, node_records
from micrograph.runner.executor import LocalExecutor
from micrograph.runner.options import jobs_of
from micrograph.runner.plan import make_plan
from micrograph.runner.results import TaskFinished, TaskResults
from micrograph.runner.select import find_attached
from micrograph.tasks import Task

SCRIPT = Path(__file__).with_name("do_tasks.py")


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def tasks_of(
    model: Model, folder: Path, lens: str, node: str, units: range, **options: Any
) -> list[Task]:
    """The plan for an empty atlas."""
    find_attached(model, [node])
    jobs = jobs_of([lenses.get(lens)], model, options)
    nodes = node_records(model)
    record, dictionaries = model_record(model), dictionary_records(model)
    with AtlasWriter.open(folder / "plan.atlas", record, nodes, dictionaries) as writer:
        plan = make_plan(model, writer, jobs, {node: units}, None, {lens: options})
    return list(plan.tasks)


def comparable(made: TaskResults) -> dict[str, Any]:
    """All but the time that it took."""
    data = json.loads(json.dumps(made.to_json()))
    for result in data["results"]:
        result.pop("seconds", None)
    return data


@pytest.mark.nightly
def test_tasks_from_json_in_another_process_give_the_same_bits(
    toytown: Model, tmp_path: Path
) -> None:
    short = {"size": 32, "steps": 3}
    Image.effect_mandelbrot((120, 100), (-2, -1.5, 1, 1.5), 50).convert("RGB").save(
        picture := str(tmp_path / "picture.png")
    )
    tasks = [
        *tasks_of(toytown, tmp_path, "feature_vis", "conv0", range(5), repeats=2, **short),
        *tasks_of(toytown, tmp_path, "feature_vis", "mixed4a.sae", range(160, 162), **short),
        *tasks_of(toytown, tmp_path, "attribution", "mixed3b", range(2), images=[picture]),
        *tasks_of(toytown, tmp_path, "caricature", "conv1", range(1), images=["owl"], steps=2),
        *tasks_of(toytown, tmp_path, "tuning", "conv0", range(3)),
        *tasks_of(toytown, tmp_path, "similar", "mixed3a", range(2)),
    ]
    assert len({task.technique for task in tasks}) == 5
    assert {"conv1": None} in [task.units for task in tasks], "a node as a whole"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "there.atlas")],
        input="".join(json.dumps(task.to_json()) + "\n" for task in tasks),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )
    assert done.returncode == 0, done.stderr
    there = [TaskResults.from_json(json.loads(line)) for line in done.stdout.splitlines()]
    here = [
        event
        for event in LocalExecutor(toytown, tmp_path / "here.atlas").run(tasks)
        if isinstance(event, TaskResults)
    ]
    assert {made.task.technique for made in here} == {task.technique for task in tasks}
    assert [comparable(made) for made in there] == [comparable(made) for made in here]


def test_events_tell_of_each_task_and_its_steps(toytown: Model, tmp_path: Path) -> None:
    tasks = tasks_of(toytown, tmp_path, "feature_vis", "conv0", range(3), size=32, steps=2)
    told: list[tuple[Task, Step]] = []
    executor = LocalExecutor(toytown, tmp_path / "a.atlas")
    events = list(executor.run(tasks, lambda task, step: told.append((task, step))))
    (task,) = tasks
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task
    assert [type(event) for event in events] == [TaskResults, TaskFinished]
    assert told == [(task, Step(0, 1)), (task, Step(1, 2)), (task, Step(2, 2))]


def test_a_picture_that_changed_since_the_plan_is_refused(toytown: Model, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (96, 96), (200, 30, 30)).save(path)
    images = [str(path)]
    tasks = tasks_of(toytown, tmp_path, "attribution", "conv0", range(1), images=images)
    Image.new("RGB", (96, 96), (30, 30, 200)).save(path)
    with pytest.raises(Conflict, match="was planned with other weights, pictures"):
        list(LocalExecutor(toytown, tmp_path / "a.atlas").run(tasks))


def test_a_task_of_another_model_is_refused(toytown: Model, tmp_path: Path) -> None:
    (task,) = tasks_of(toytown, tmp_path, "feature_vis", "conv0", range(1), size=32, steps=1)
    with pytest.raises(BadInput, match="a task of other given to toytown"):
        list(LocalExecutor(toytown, tmp_path / "a.atlas").run([replace(task, model="other")]))


@pytest.mark.parametrize(
    "change",
    [
        {"results": 3},
        {"results": [{"node": "a"}]},
        {"results": [{"image": {"dtype": "|O", "shape": [1], "data": ""}, "arrays": {}}]},
        {"results": [{"image": {"dtype": "|u1", "shape": [9], "data": "AAAA"}, "arrays": {}}]},
        {"more": 1},
    ],
)
def test_what_are_no_results_is_refused(change: dict[str, Any]) -> None:
    task = Task("m", {"technique": "lens", "view": "v", "seed": 0}, {"n": (1,)})
    with pytest.raises(BadInput, match="results"):
        TaskResults.from_json({**TaskResults(task, ()).to_json(), **change})
