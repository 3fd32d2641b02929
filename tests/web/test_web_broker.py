"""Several processes of a site share one queue of renders and one worker that looks at pictures."""

import contextlib
import os
import sys
import textwrap
import threading
import time

import pytest
from PIL import Image

from micrograph.errors import Conflict, MicrographError, Unavailable
from micrograph.parts.urls import Urls
from micrograph.web.broker import Broker
from micrograph.web.brokered import BrokeredLive, BrokeredQuestions, QuestionLine
from micrograph.web.live import WAITING, Live
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.reader import Reader
from micrograph.workers import LOOK, RENDER

WAITS = "import time; time.sleep(60)"
FAILS = "import sys; print('error: out of luck', file=sys.stderr); sys.exit(2)"
LOOKS = """
    import json, os, sys, time
    def say(**line): print(json.dumps(line), flush=True)
    say(answer="ready")
    while line := sys.stdin.buffer.readline():
        ask = json.loads(line)
        if ask.get("cancel"): continue
        y, x, _ = ask["shape"]
        pixels = sys.stdin.buffer.read(y * x * 3)
        if ask["ask"] == "refuse": say(error="no weights here", status=503)
        elif ask["ask"] == "hang":
            say(step=1, steps=9)
            sys.stdin.buffer.readline()
            say(answer=None)
        else:
            say(step=1, steps=2)
            say(answer=[os.getpid(), x, y, sum(pixels)])
"""


def program(script: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(script)]


@pytest.fixture
def site(tmp_path):
    """A broker, and what two processes of its site have; a script renders."""
    made = []

    def make(render: str = WAITS):
        live = Live(tmp_path, Urls(), lambda asked, folder: program(render))
        look = PictureQuestions(lambda model, digest: program(LOOKS))
        broker = Broker(live, look, lambda: None)
        made.append(broker)
        lines = [QuestionLine(broker.address) for _ in range(2)]
        made.extend(lines)
        parts = [
            (BrokeredLive(tmp_path, Urls(), line), BrokeredQuestions(broker.address))
            for line in lines
        ]
        return broker, parts, live, look

    yield make
    for one in made:
        one.close()


def until(condition, seconds: float = 20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_every_process_knows_of_a_render(site):
    _, ((here, _), (there, _)), live, _ = site()
    assert there.state("m", "n", 1).state == "none"
    assert here.ask("m", "n", 1).state in ("queued", "running")
    until(lambda: there.state("m", "n", 1).state == "running")
    assert there.ask("m", "n", 1) == here.state("m", "n", 1)
    assert here.ask("m", "n", 2).state == "queued"
    until(lambda: live.workers.process(RENDER) is not None)


def test_they_share_the_places_in_the_queue(site):
    _, ((here, _), (there, _)), _, _ = site()
    for unit in range(WAITING + 1):
        (here if unit % 2 else there).ask("m", "n", unit)
    for one in (here, there):
        with pytest.raises(MicrographError, match="wait to be rendered already") as told:
            one.ask("m", "n", 99)
        assert told.value.status == Conflict.status


def test_why_a_render_failed_is_told_to_all(site):
    _, ((here, _), (there, _)), _, _ = site(FAILS)
    here.ask("m", "n", 1)
    until(lambda: there.state("m", "n", 1).state == "failed")
    assert there.state("m", "n", 1).message == "out of luck"


PICTURE = Image.new("RGB", (5, 3), (1, 2, 3))


def test_one_worker_looks_for_all(site):
    _, ((_, here), (_, there)), _, look = site()
    steps: list[tuple[int, int]] = []
    first = here.ask("m", "d", {"ask": "look"}, PICTURE, lambda *step: steps.append(step))
    assert first[1:] == [5, 3, 5 * 3 * 6]
    assert steps == [(1, 2)]
    assert there.ask("m", "d", {"ask": "look"}, PICTURE) == first  # the same process
    assert look.workers.process(LOOK).pid == first[0]


def test_what_the_worker_refuses_is_refused(site):
    _, ((_, here), _), _, _ = site()
    with pytest.raises(MicrographError, match="no weights here") as told:
        here.ask("m", "d", {"ask": "refuse"}, PICTURE)
    assert told.value.status == 503


def hanging(here: BrokeredQuestions, reader: Reader) -> tuple[threading.Thread, list[str]]:
    """Asks what is not answered, in a thread; returns once it is asked."""
    asked, said = threading.Event(), []

    def ask() -> None:
        try:
            here.ask("m", "d", {"ask": "hang"}, PICTURE, lambda *_: asked.set(), reader)
        except MicrographError as error:
            said.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(20)
    return thread, said


def test_a_reader_who_leaves_takes_the_question_back(site):
    _, ((_, here), (_, there)), _, look = site()
    reader = Reader()
    thread, said = hanging(here, reader)
    worker = look.workers.process(LOOK).pid
    reader.leave()
    thread.join(10)
    assert said == ["the reader has left"]
    assert there.ask("m", "d", {"ask": "look"}, PICTURE)[0] == worker


def test_a_process_that_is_closed_waits_for_nothing(site):
    _, ((_, here), _), _, _ = site()
    thread, said = hanging(here, Reader())
    here.close()
    thread.join(10)
    assert said == ["the site is closing"]


def test_after_the_end_everything_is_refused_and_nothing_left(site):
    broker, ((live, look), _), _, _ = site()
    thread, said = hanging(look, Reader())
    assert live.state("m", "n", 1).state == "none"
    broker.close()
    thread.join(10)
    assert said == ["the site is closing"]
    assert not os.path.exists(os.path.dirname(broker.address))
    with pytest.raises(Unavailable, match="closing"):
        look.ask("m", "d", {"ask": "look"}, PICTURE)
    with pytest.raises(Unavailable, match="closing"):
        QuestionLine(broker.address).ask("state", unit=["m", "n", 1])


def test_a_mistake_of_ours_is_told_as_one(site, caplog):
    broker, _, _, _ = site()
    with contextlib.closing(QuestionLine(broker.address)) as line:
        with pytest.raises(MicrographError, match="its log says where") as told:
            line.ask("state", unit=["too", "few"])
        assert told.value.status == 500
        assert "TypeError" in caplog.text
        assert line.ask("ready") is None


def test_nobody_else_may_enter_where_they_meet(site, monkeypatch, tmp_path):
    broker, *_ = site()
    assert os.stat(os.path.dirname(broker.address)).st_mode & 0o077 == 0
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    other, ((live, _), _), _, _ = site()
    assert other.address.startswith("/tmp/")
    assert live.state("m", "n", 1).state == "none"
    assert not list(long.iterdir())
