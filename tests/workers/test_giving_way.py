"""Workers come behind the site, and wait without work."""

import os
import sys
import textwrap
from pathlib import Path

from micrograph.workers.giving_way import give_way, quiet_environment
from micrograph.workers.process import WorkerProcess

TELLS = """
    import json, os, time
    time.sleep(1.5)
    def read(path):
        try:
            return open(path).read().split()[-1]
        except OSError:
            return None
    scheduler = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    print(json.dumps({"answer": {
        "spins": os.environ.get("GOMP_SPINCOUNT"),
        "session": read("/proc/self/autogroup"),
        "scheduler": scheduler,
    }}))
"""


def _started(niceness: int) -> WorkerProcess:
    return WorkerProcess([sys.executable, "-c", textwrap.dedent(TELLS)], niceness=niceness)


def test_sessions_of_workers_come_behind_and_their_threads_wait_asleep():
    begun = [
        _started(niceness) for niceness in (7, 11, 0)
    ]  # at once: the system takes few a second
    told = [process.run(30) for process in begun]
    for process in begun:
        process.close()
    assert {one["spins"] for one in told} == {os.environ.get("GOMP_SPINCOUNT", "0")}
    if hasattr(os, "SCHED_BATCH"):
        assert [one["scheduler"] for one in told] == [os.SCHED_BATCH, os.SCHED_BATCH, 0]
    if _sessions_count():
        assert [one["session"] for one in told] == ["7", "11", "0"]


def _sessions_count() -> bool:
    try:
        told = Path("/proc/self/autogroup").read_text()
    except OSError:
        return False
    return told.startswith("/autogroup")


def test_what_somebody_set_stays():
    assert quiet_environment({"GOMP_SPINCOUNT": "9", "A": "b"}) == {"GOMP_SPINCOUNT": "9", "A": "b"}
    assert quiet_environment({})["GOMP_SPINCOUNT"] == "0"


def test_a_process_that_has_ended_is_no_mistake():
    process = WorkerProcess([sys.executable, "-c", ""])
    assert process.run(20) is None
    give_way(process.pid, 3)
    process.close()
