"""`render --events`: what it tells a program that started it."""

import subprocess

from micrograph.events import Answer, Failed, Step, Stored, from_line

QUICK = ("--node", "conv0", "--units", "0-2", "--steps", "3", "--size", "32", "--batch", "2")


def told(process: subprocess.Popen[str]) -> list:
    out, _ = process.communicate(timeout=120)
    return [from_line(line) for line in out.splitlines()]


def test_steps_and_what_is_stored_and_an_answer_at_the_end(start, tmp_path):
    process = start("render", "toytown", *QUICK, "--atlas", tmp_path, "--events")
    events = told(process)
    assert process.returncode == 0
    steps = [event for event in events if isinstance(event, Step)]
    assert steps == [Step(0, 1), *(Step(k, 3) for k in (1, 2, 3))] * 2, "of two batches"
    stored = [event.subject for event in events if isinstance(event, Stored)]
    assert sorted(stored) == ["conv0/0", "conv0/1", "conv0/2"]
    *_, last = events
    assert isinstance(last, Answer)
    assert (last.value["rendered"], last.value["there"]) == (3, 0)
    assert len(events) == len(steps) + len(stored) + 1


def test_what_is_refused_is_told_with_its_status(start, tmp_path):
    words = ("render", "toytown", "--node", "conv77", "--atlas", tmp_path / "new", "--events")
    process = start(*words)
    (failed,) = told(process)
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("unknown node 'conv77' in toytown")
    assert failed.status == 404
    assert process.returncode == 2
    assert not (tmp_path / "new").exists()


def test_frames_come_with_the_steps_that_were_asked_for(start, tmp_path):
    words = ("render", "toytown", *QUICK, "--atlas", tmp_path, "--events", "--frames", "2")
    steps = [event for event in told(start(*words)) if isinstance(event, Step)]
    assert [event.step for event in steps if event.frame] == [2, 3] * 2, "of two batches"
    assert all(event.frame.startswith("data:image/webp") for event in steps if event.frame)
