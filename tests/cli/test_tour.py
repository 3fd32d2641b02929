"""What the demo renders: every lens, by commands that work."""

import sys
import threading
import time

import pytest

from micrograph import lenses as techniques
from micrograph import runner
from micrograph.atlas import Atlas
from micrograph.cli import render as render_command
from micrograph.cli import tour
from micrograph.models import load
from micrograph.parts.urls import Urls
from micrograph.runner.options import jobs_of
from micrograph.web.live import Live
from micrograph.workers import RENDER, Supervisor


def asked(step: str) -> tuple[str, dict]:
    """The model of a step, and what the command would hand to the runner."""
    context = render_command.command.make_context("render", step.split())
    given = dict(context.params)
    options = {k: v for k, v in given.items() if v not in (None, (), {})}
    return options.pop("model"), options


def test_every_lens_is_in_it():
    shown = {name for step in tour.all_steps() for name in asked(step)[1]["techniques"]}
    assert shown == set(techniques.names())


@pytest.mark.parametrize("step", tour.all_steps())
def test_each_step_asks_for_what_there_is(step):
    model_id, options = asked(step)
    model = load(model_id)
    runner.select.find_attached(model, options.get("nodes") or ())
    nodes = runner.select.choose_nodes(model.nodes, options.get("nodes"), model.id)
    assert nodes
    more = options.get("more", {})
    for key in ("variants", "images", "repeats"):
        if key in options:
            more[key] = options[key]
    chosen = [techniques.get(name) for name in options["techniques"]]
    assert {lens.name for lens, _ in jobs_of(chosen, model, more)} == set(options["techniques"])


def test_it_goes_on_after_a_step_that_fails_and_ends_when_told(tmp_path, monkeypatch, capfd):
    def command(step, folder):
        code = {
            "fails": "raise SystemExit('no')",
            "works": f"open({str(folder / 'done')!r}, 'w')",
            "long": f"open({str(folder / 'long')!r}, 'w'); import time; time.sleep(60)",
        }[step]
        return [sys.executable, "-c", code]

    monkeypatch.setattr(tour, "command", command)
    workers = Supervisor()
    with tour.Tour(tmp_path, workers, ("fails", "works", "long", "works")):
        deadline = time.monotonic() + 30
        while not (tmp_path / "long").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (tmp_path / "done").exists()
        (tmp_path / "done").unlink()
        process = workers.process(RENDER)
        started = time.monotonic()
    assert time.monotonic() - started < 15
    assert process.status not in (None, 0)
    assert not (tmp_path / "done").exists()
    assert "no" in capfd.readouterr().err


STEP = """
import sys, time
with open(sys.argv[1], "a") as notes: notes.write(sys.argv[2] + "\\n")
runs = open(sys.argv[1]).read().splitlines().count(sys.argv[2])
if sys.argv[2] == "step 1" and runs == 1: time.sleep(60)
"""


def test_what_a_reader_asks_for_comes_first_and_the_tour_goes_on(tmp_path, monkeypatch):
    notes, workers = tmp_path / "notes", Supervisor()

    def noting(name):
        return [sys.executable, "-c", STEP, str(notes), name]

    def seen():
        return notes.read_text().splitlines() if notes.exists() else []

    def wait_for(*names):
        end = time.monotonic() + 30
        while seen() != list(names):
            assert time.monotonic() < end, seen()
            time.sleep(0.02)

    monkeypatch.setattr(tour, "command", lambda step, folder: noting(step))
    live = Live(tmp_path, Urls(), lambda asked, folder: noting(f"unit {asked.unit}"), workers)
    with tour.Tour(tmp_path, workers, ("step 1", "step 2")):
        wait_for("step 1")
        live.ask("toytown", "conv0", 7)
        wait_for("step 1", "unit 7", "step 1", "step 2")
    assert live.state("toytown", "conv0", 7).state == "done"
    workers.close()


def test_what_somebody_types_comes_before_the_rest_of_a_step(tmp_path):
    model = load("toytown")
    begun, done = threading.Event(), threading.Event()

    def step() -> None:
        work = {"nodes": "mixed5b", "units": "0-3", "size": 32, "steps": 4000, "makes_way": True}
        while not done.is_set():
            summary = runner.render(model, tmp_path, on_event=told, batch=1, **work)
            assert summary.made_way or done.is_set()

    def told(event: object) -> None:
        begun.set()
        if done.is_set():
            raise KeyboardInterrupt

    thread = threading.Thread(target=step)
    thread.start()
    try:
        assert begun.wait(30)
        asked = runner.render(model, tmp_path, nodes="conv0", units=7, size=32, steps=2)
        assert (asked.rendered, asked.made_way) == (1, False)
        begun.clear()
        assert begun.wait(30), "the step goes on"
    finally:
        done.set()
        thread.join(30)
    assert not thread.is_alive()
    with Atlas.open(tmp_path / "toytown.atlas") as atlas:
        assert [(c.node, c.units) for c in atlas.counts()] == [("conv0", 1)]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["toytown.atlas"]
