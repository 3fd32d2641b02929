"""The pool of warm workers, with small scripts as workers."""

import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from micrograph.events import Event, Step, Waiting
from micrograph.workers import (
    Cancelled,
    ClientFull,
    Pool,
    PoolFull,
    PoolLimits,
    PoolQuestion,
    Refusal,
    WorkerDied,
    WorkerTimeout,
)

WORKS = """
    import json, os, sys, threading, time
    def say(of=None, **line):
        told = json.dumps(line if of is None else {"of": of, **line})
        sys.stdout.write(told + "\\n")  # in one piece, as several threads tell
        sys.stdout.flush()
    cancelled = set()
    def work(ask):
        of = ask["of"]
        if ask["do"] == "pid": say(of, answer=os.getpid())
        if ask["do"] == "refuse": say(of, error="not today", status=404)
        if ask["do"] == "die": os._exit(3)
        if ask["do"] == "babble": print("loading", flush=True)
        if ask["do"] == "steps":
            for step in range(1, 2000):
                if of in cancelled: return
                say(of, step=step, steps=2000); time.sleep(0.01)
    say(answer="ready")
    for line in sys.stdin:
        ask = json.loads(line)
        if "cancel" in ask: cancelled.add(ask["cancel"])
        elif ask["do"] == "cancelled": say(ask["of"], answer=sorted(cancelled))
        else: threading.Thread(target=work, args=(ask,), daemon=True).start()
    os._exit(0)
"""


def command(name: str = "a", script: str = WORKS) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent(script), name)


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


@pytest.fixture
def pool_of() -> Iterator[Callable[..., Pool]]:
    made = []

    def make(**limits: Any) -> Pool:
        made.append(Pool(PoolLimits(**limits), pause=0.05))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def ask(pool: Pool, do: str, client: str = "one", name: str = "a", **more: Any) -> PoolQuestion:
    return pool.submit(command(name), {"do": do}, client, **more)


def begun(pool: Pool, client: str, name: str = "a") -> PoolQuestion:
    """A long question, once it is at work."""
    at_work = threading.Event()

    def on_event(event: Event) -> None:
        if isinstance(event, Step):
            at_work.set()

    asked = ask(pool, "steps", client, name, on_event=on_event)
    assert at_work.wait(20)
    return asked


def test_a_warm_worker_answers_again_and_several_at_a_time(pool_of):
    pool = pool_of()
    events: list[Event] = []
    long = ask(pool, "steps", on_event=events.append)
    first = ask(pool, "pid").result()
    assert ask(pool, "pid").result() == first
    assert not long.is_settled
    until(lambda: Step(2, 2000) in events)
    assert next(one for one in events if isinstance(one, Step)) == Step(1, 2000)
    assert ask(pool, "pid", name="b").result() != first


def test_a_refusal_costs_only_its_question(pool_of):
    pool = pool_of()
    pid = ask(pool, "pid").result()
    with pytest.raises(Refusal, match="not today") as refused:
        ask(pool, "refuse").result()
    assert refused.value.status == 404
    assert ask(pool, "pid").result() == pid


def test_what_is_taken_back_is_told_to_the_worker(pool_of):
    pool = pool_of()
    asked = begun(pool, "one")
    pool.cancel(asked)
    with pytest.raises(Cancelled):
        asked.result()
    until(lambda: ask(pool, "cancelled").result() == [asked.number])


def test_the_next_to_begin_is_of_the_client_who_has_least(pool_of):
    pool = pool_of(together=2, each=8)
    greedy = [begun(pool, "greedy"), begun(pool, "greedy")]
    waiting = [ask(pool, "steps", "greedy") for _ in range(2)]
    late = ask(pool, "steps", "modest")
    assert [pool.ahead_of(one) for one in (late, *waiting)] == [0, 1, 2]
    pool.cancel(greedy[0])
    assert late.begun is not None
    assert [one.begun for one in waiting] == [None, None]
    pool.cancel(greedy[1])
    assert waiting[0].begun is not None
    assert waiting[1].begun is None


def test_a_client_has_a_limit_and_all_together_have_one(pool_of):
    pool = pool_of(each=2, open=3, together=1)
    ask(pool, "steps", "one"), ask(pool, "steps", "one")
    with pytest.raises(ClientFull):
        ask(pool, "steps", "one")
    last = ask(pool, "steps", "two")
    with pytest.raises(PoolFull):
        ask(pool, "steps", "three")
    pool.cancel(last)
    ask(pool, "steps", "three")


def test_the_least_used_worker_ends_for_another(pool_of):
    pool = pool_of(workers=2)
    pids = {name: ask(pool, "pid", name=name).result() for name in "ab"}
    assert ask(pool, "pid", name="a").result() == pids["a"]
    ask(pool, "pid", name="c").result()
    assert {command[-1] for command in pool.commands} == {"a", "c"}
    until(lambda: not _alive(pids["b"]))
    assert ask(pool, "pid", name="a").result() == pids["a"]


def test_who_waits_for_a_worker_holds_back_those_behind(pool_of):
    pool = pool_of(workers=1, together=2)
    first = begun(pool, "one")
    other = ask(pool, "pid", "two", name="b")
    behind = ask(pool, "pid", "three")
    time.sleep(0.2)
    assert other.begun is None
    assert behind.begun is None, "else the other model would wait for ever"
    pool.cancel(first)
    assert other.result() != behind.result()


def test_workers_that_hold_too_much_end_when_idle(pool_of):
    pool = pool_of(memory=1)
    asked = begun(pool, "one")
    pid = pool.pid(command())
    time.sleep(0.2)
    assert pool.pid(command()) == pid, "it has work to do"
    pool.cancel(asked)
    until(lambda: not pool.commands)


def test_idle_workers_end(pool_of):
    pool = pool_of(idle=0.2)
    pid = ask(pool, "pid").result()
    until(lambda: not _alive(pid))
    assert ask(pool, "pid").result() != pid


def test_a_killed_worker_fails_its_questions_and_another_begins(pool_of):
    pool = pool_of()
    asked = begun(pool, "one")
    os.kill(pool.pid(command()), signal.SIGKILL)
    with pytest.raises(WorkerDied):
        asked.result()
    with pytest.raises(WorkerDied):
        ask(pool, "die").result()
    with pytest.raises(WorkerDied, match="no event"):
        ask(pool, "babble").result()
    assert ask(pool, "pid").result()


def test_a_silent_worker_is_ended(pool_of):
    pool = pool_of(silence=0.3)
    with pytest.raises(WorkerTimeout):
        ask(pool, "nothing").result()
    assert ask(pool, "pid").result()


def test_a_worker_without_its_weights_says_why(pool_of):
    pool = pool_of()
    script = 'print(\'{"error": "no weights", "status": 409}\', flush=True)'
    with pytest.raises(Refusal, match="no weights") as refused:
        pool.submit(command("a", script), {}, "one").result()
    assert refused.value.status == 409


def test_a_command_that_is_not_there_fails_its_question(pool_of):
    pool = pool_of()
    with pytest.raises(OSError, match="No such file"):
        pool.submit(("/nowhere/at/all",), {}, "one").result()
    assert pool.commands == []


def test_closing_takes_everything_back(pool_of):
    pool = pool_of()
    asked = begun(pool, "one")
    pid = pool.pid(command())
    pool.close()
    for left in (asked, ask(pool, "pid")):
        with pytest.raises(Cancelled):
            left.result()
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_is_made_ready_only_where_that_costs_nobody_theirs(pool_of):
    pool = pool_of(workers=1, settled=0.5)
    assert pool.make_ready(command())
    pid = pool.pid(command())
    assert ask(pool, "pid").result() == pid
    assert pool.make_ready(command()), "it is there"
    assert not pool.make_ready(command("b")), "the other one was asked just now"
    time.sleep(0.6)
    assert pool.make_ready(command("b"))
    assert [one[-1] for one in pool.commands] == ["b"]
    busy = begun(pool, "one", "b")
    time.sleep(0.6)
    assert not pool.make_ready(command("c")), "the only worker is at work"
    assert busy.begun is not None


def test_one_worker_at_a_time_is_made_ready_and_none_that_failed_just_now(pool_of):
    pool = pool_of(workers=4)
    assert pool.make_ready(command("slow", "import time; time.sleep(60)"))
    assert not pool.make_ready(command())
    other = pool_of(workers=4)
    assert other.make_ready(command("fails", "raise SystemExit(1)"))
    until(lambda: not other.commands)
    assert not other.make_ready(command("fails", "raise SystemExit(1)"))
    assert not other.make_ready(("/nowhere/at/all",))
    assert other.make_ready(command())


def test_who_waits_is_told_for_what(pool_of):
    pool = pool_of(together=1)
    told: dict[str, list[Event]] = {"two": [], "three": []}
    first = begun(pool, "one")
    for client, events in told.items():
        ask(pool, "steps", client, on_event=events.append)
    until(lambda: all(told.values()))
    assert [events[0] for events in told.values()] == [Waiting(0), Waiting(1)]
    pool.cancel(first)
    until(lambda: Step(1, 2000) in told["two"])
    until(lambda: told["three"][-1] == Waiting(0))
