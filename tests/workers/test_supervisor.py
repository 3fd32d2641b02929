"""The supervisor, with small scripts as workers."""

import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from micrograph.events import Event, Step, Stored
from micrograph.workers import (
    Cancelled,
    Order,
    Priority,
    QueueFull,
    Refusal,
    Supervisor,
    TicketState,
    WorkerDied,
    WorkerTimeout,
)

ANSWERS = """
    import json, os, sys, time
    def say(**line): print(json.dumps(line), flush=True)
    say(answer="ready")
    while line := sys.stdin.readline():
        ask = line.strip()
        if ask == "pid": say(answer=os.getpid())
        if ask == "refuse": say(error="not today", status=404)
        if ask == "steps":
            say(step=1, steps=2); say(stored="conv0/3"); say(step=2, steps=2)
            say(answer="done")
        if ask == "hang":
            say(step=1, steps=2); time.sleep(60)
        if ask == "babble": print("loading weights", flush=True); time.sleep(60)
"""
"""Answers questions of one line each."""


def command(script: str, *words: object) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent(script), *map(str, words))


def question(ask: str, **more: Any) -> Order:
    return Order(command(ANSWERS), question=ask.encode() + b"\n", keep=60.0, **more)


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def workers() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.close()


def test_a_warm_worker_answers_again_and_another_command_replaces_it(workers: Supervisor) -> None:
    first = workers.submit("look", question("pid")).result()
    assert workers.submit("look", question("pid")).result() == first
    other = Order(command(ANSWERS, "other"), question=b"pid\n", keep=60.0)
    second = workers.submit("look", other).result()
    assert second != first
    assert is_gone(first)
    assert workers.process("look").pid == second


def test_a_worker_that_nobody_asks_is_ended(workers: Supervisor) -> None:
    order = Order(command(ANSWERS), question=b"pid\n", keep=0.1)
    pid = workers.submit("look", order).result()
    until(lambda: is_gone(pid))
    assert workers.process("look") is None


def test_events_on_the_way_are_told_in_their_order(workers: Supervisor) -> None:
    told: list[Event] = []
    assert workers.submit("look", question("steps", on_event=told.append)).result() == "done"
    assert told == [Step(1, 2), Stored("conv0/3"), Step(2, 2)]


def test_a_refusal_is_the_questions_own_and_the_worker_stays(workers: Supervisor) -> None:
    pid = workers.submit("look", question("pid")).result()
    ticket = workers.submit("look", question("refuse"))
    with pytest.raises(Refusal, match="not today") as caught:
        ticket.result()
    assert caught.value.status == 404
    assert ticket.state is TicketState.FAILED
    assert workers.submit("look", question("pid")).result() == pid


def test_a_worker_killed_in_the_middle_of_an_answer_is_one_failed_answer(
    workers: Supervisor,
) -> None:
    first = workers.submit("look", question("pid")).result()
    begun = threading.Event()
    hanging = workers.submit("look", question("hang", on_event=lambda event: begun.set()))
    waiting = workers.submit("look", question("pid"))
    assert begun.wait(20)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(WorkerDied) as caught:
        hanging.result()
    assert caught.value.status == -signal.SIGKILL
    assert waiting.result() != first, "the next question begins anew"


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("raise SystemExit('out of luck')", 1, "out of luck"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
    ],
)
def test_a_command_that_fails_says_why(
    workers: Supervisor, script: str, status: int, said: str
) -> None:
    with pytest.raises(WorkerDied) as caught:
        workers.submit("render", Order(command(script))).result()
    assert caught.value.status == status
    assert list(caught.value.said) == ([said] if said else [])


def test_a_command_that_cannot_be_started(workers: Supervisor) -> None:
    with pytest.raises(FileNotFoundError):
        workers.submit("render", Order(("/no/such/program",))).result()
    assert workers.submit("render", Order(command("pass"))).result() is None


def test_a_line_that_is_no_event_ends_the_worker(workers: Supervisor) -> None:
    with pytest.raises(WorkerDied, match="is no event"):
        workers.submit("look", question("babble")).result()
    assert workers.process("look") is None


def test_what_takes_too_long_is_ended(workers: Supervisor) -> None:
    pid = workers.submit("look", question("pid")).result()
    with pytest.raises(WorkerTimeout):
        workers.submit("look", question("hang", seconds=0.3)).result()
    assert is_gone(pid)
    silent = Order(command("import time; time.sleep(60)"), question=b"", start_seconds=0.3)
    with pytest.raises(WorkerTimeout):
        workers.submit("look", silent).result()


def test_a_worker_that_does_not_read_its_question_is_ended_in_time(workers: Supervisor) -> None:
    script = """
        import time
        print('{"answer": "ready"}', flush=True)
        time.sleep(60)
    """
    started = time.monotonic()
    order = Order(command(script), question=b"x" * 2**22, seconds=0.5)
    with pytest.raises(WorkerTimeout):
        workers.submit("look", order).result()
    assert time.monotonic() - started < 20


def test_a_listener_that_raises_ends_the_worker(workers: Supervisor) -> None:
    def listener(event: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        workers.submit("look", question("hang", on_event=listener)).result()
    assert workers.process("look") is None


def test_no_more_are_taken_than_may_wait(workers: Supervisor) -> None:
    sleeps = Order(command("import time; time.sleep(60)"))
    background = Order(sleeps.command, priority=Priority.BACKGROUND)
    for _ in range(3):
        workers.submit("render", sleeps, most=3)
    with pytest.raises(QueueFull) as caught:
        workers.submit("render", sleeps, most=3)
    assert caught.value.waiting == 3
    assert workers.submit("render", background, most=1).state is TicketState.QUEUED, "its own queue"
    assert workers.submit("look", question("pid"), most=1).result(), "lanes do not wait"


def test_what_waits_can_be_taken_back(workers: Supervisor, tmp_path: Path) -> None:
    workers.submit("render", running := Order(command("import time; time.sleep(60)")))
    writes = Order(command("open(__import__('sys').argv[1], 'w')", tmp_path / "written"))
    ticket = workers.submit("render", writes)
    workers.cancel("render", ticket)
    with pytest.raises(Cancelled):
        ticket.result()
    assert running.command == until(lambda: workers.process("render")).command
    workers.close()
    assert not (tmp_path / "written").exists()


STOPS = """
    import signal, sys, time
    def stop(*_):
        open(sys.argv[1] + "/closed", "w").close()
        sys.exit(130)
    signal.signal(signal.SIGTERM, stop if sys.argv[2] == "kindly" else signal.SIG_IGN)
    open(sys.argv[1] + "/begun", "w").close()
    time.sleep(60)
"""


@pytest.mark.parametrize("how", ["kindly", "deaf"])
def test_what_runs_is_told_to_end_and_killed_where_it_does_not(
    workers: Supervisor, tmp_path: Path, how: str
) -> None:
    grace = 20.0 if how == "kindly" else 0.5
    ticket = workers.submit("render", Order(command(STOPS, tmp_path, how), grace=grace))
    until((tmp_path / "begun").exists)
    pid = workers.process("render").pid
    started = time.monotonic()
    workers.cancel("render", ticket)
    with pytest.raises(Cancelled):
        ticket.result()
    assert time.monotonic() - started < 10
    assert is_gone(pid)
    assert (tmp_path / "closed").exists() == (how == "kindly")
    assert workers.submit("render", Order(command("pass"))).result() is None


NOTES = """
    import sys, time
    with open(sys.argv[1], "a") as notes: notes.write(sys.argv[2] + "\\n")
    time.sleep(float(sys.argv[3]))
    with open(sys.argv[1], "a") as notes: notes.write(sys.argv[2] + " done\\n")
"""


def test_a_click_comes_before_the_next_step_of_the_background(
    workers: Supervisor, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"

    def order(name: str, seconds: float, priority: Priority) -> Order:
        return Order(command(NOTES, notes, name, seconds), priority=priority)

    tickets = [workers.submit("render", order("step 1", 1.0, Priority.BACKGROUND))]
    until(notes.exists)
    tickets.append(workers.submit("render", order("step 2", 0.0, Priority.BACKGROUND)))
    tickets.append(workers.submit("render", order("click", 0.0, Priority.READER)))
    for ticket in tickets:
        ticket.result()
    begun = [line for line in notes.read_text().splitlines() if "done" not in line]
    assert begun == ["step 1", "click", "step 2"]


def test_what_can_be_resumed_makes_way_at_once_and_begins_again(
    workers: Supervisor, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    step = Order(
        command(NOTES, notes, "step", 3.0),
        priority=Priority.BACKGROUND,
        resumable=True,
        grace=10.0,
    )
    ticket = workers.submit("render", step)
    until(notes.exists)
    workers.submit("render", Order(command(NOTES, notes, "click", 0.0))).result()
    assert ticket.state in (TicketState.QUEUED, TicketState.RUNNING)
    assert ticket.result() is None
    assert notes.read_text().splitlines() == ["step", "click", "click done", "step", "step done"]


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="no such thing on this system")
def test_what_nobody_waits_for_leaves_the_processor_to_the_site(workers: Supervisor) -> None:
    script = """
        import json, os, time
        time.sleep(0.2)
        print(json.dumps({"answer": os.getpriority(os.PRIO_PROCESS, 0)}))
    """
    own = os.getpriority(os.PRIO_PROCESS, 0)
    told = workers.submit("render", Order(command(script), niceness=5)).result()
    assert told == min(own + 5, 19)


def test_closing_ends_everything_and_nothing_begins_any_more(workers: Supervisor) -> None:
    warm = workers.submit("look", question("pid")).result()
    running = workers.submit("render", Order(command("import time; time.sleep(60)")))
    waiting = workers.submit("render", Order(command("pass")))
    pid = until(lambda: workers.process("render")).pid
    workers.close()
    assert is_gone(warm)
    assert is_gone(pid)
    for ticket in (
        running,
        waiting,
        workers.submit("render", Order(command("pass"))),
        workers.submit("other", Order(command("pass"))),
    ):
        with pytest.raises(Cancelled):
            ticket.result()


TAKES_BACK = """
    import json, os, queue, sys, threading, time
    def say(**line): print(json.dumps(line), flush=True)
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(x.strip()) for x in sys.stdin], daemon=True).start()
    time.sleep(float(sys.argv[1]))
    say(answer="ready")
    while True:
        ask = lines.get()
        if ask == "pid": say(answer=os.getpid())
        if ask == "deaf":
            say(step=1, steps=2); time.sleep(60)
        if ask == "long":
            say(step=1, steps=2)
            while lines.get() != "stop": pass
            say(error="taken back", status=503)
"""
"""What is answered until it is told to stop; `argv[1]` is how long it takes to get ready."""


def long(ask: str = "long", ready: float = 0.0, **more: Any) -> Order:
    words, cancel = command(TAKES_BACK, ready), b"stop\n"
    return Order(words, question=ask.encode() + b"\n", keep=60.0, take_back=cancel, **more)


def test_a_question_that_is_taken_back_leaves_the_worker_warm(workers: Supervisor) -> None:
    pid = workers.submit("look", long("pid")).result()
    begun = threading.Event()
    running = workers.submit("look", long(on_event=lambda event: begun.set()))
    waiting = workers.submit("look", long("pid"))
    assert begun.wait(20)
    workers.cancel("look", running)
    workers.cancel("look", running)
    with pytest.raises(Cancelled):
        running.result()
    assert waiting.result() == pid
    workers.cancel("look", waiting)  # too late: nothing happens
    assert workers.submit("look", long("pid")).result() == pid


def test_a_worker_that_does_not_listen_is_replaced(workers: Supervisor) -> None:
    pid = workers.submit("look", long("pid")).result()
    begun = threading.Event()
    running = workers.submit("look", long("deaf", on_event=lambda _: begun.set(), patience=0.2))
    assert begun.wait(20)
    workers.cancel("look", running)
    with pytest.raises(Cancelled):
        running.result()
    assert workers.submit("look", long("pid")).result() != pid
    assert is_gone(pid)


def test_a_question_that_is_taken_back_before_the_worker_is_ready_is_never_asked(
    workers: Supervisor,
) -> None:
    running = workers.submit("look", long(ready=0.5, patience=0.0))
    pid = until(lambda: workers.process("look")).pid
    workers.cancel("look", running)
    with pytest.raises(Cancelled):
        running.result()
    assert workers.submit("look", long("pid", ready=0.5)).result() == pid


def test_patience_with_one_question_does_not_end_the_next(workers: Supervisor) -> None:
    begun = threading.Event()
    running = workers.submit("look", long(on_event=lambda _: begun.set(), patience=0.4))
    assert begun.wait(20)
    pid = workers.process("look").pid
    workers.cancel("look", running)
    running.wait(20)
    time.sleep(0.6)
    assert workers.submit("look", long("pid")).result() == pid
