"""Workers leave the processors to the site, however the system shares them out."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from micrograph.workers.giving_way import give_way
from micrograph.workers.process import WorkerProcess

SHARED_BY_SESSION = Path("/proc/sys/kernel/sched_autogroup_enabled")
LOOP = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"

by_session = pytest.mark.skipif(
    not SHARED_BY_SESSION.exists() or SHARED_BY_SESSION.read_text().strip() != "1",
    reason="the system does not share out processors by session",
)


def test_a_process_is_nicer_than_the_site() -> None:
    worker = WorkerProcess([sys.executable, "-c", LOOP], niceness=7)
    found = os.getpriority(os.PRIO_PROCESS, worker.pid)
    worker.close()
    assert found == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 7)


@by_session
def test_so_is_its_session() -> None:
    worker = WorkerProcess([sys.executable, "-c", LOOP], niceness=4)
    for _ in range(40):  # a user may have to wait to say so
        found = Path(f"/proc/{worker.pid}/autogroup").read_text()
        if found.endswith("nice 4\n"):
            break
        time.sleep(0.1)
    worker.close()
    assert found.endswith("nice 4\n")


@by_session
def test_a_session_gives_way_to_another_on_one_processor() -> None:
    """Side by side on one processor, so that what one has the other lacks."""
    one = {min(os.sched_getaffinity(0))}
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP],
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, one),
        )
        for _ in range(2)
    ]
    give_way(pair[1].pid, 19)
    time.sleep(0.3)
    before = [_seconds(one.pid) for one in pair]
    time.sleep(1.5)
    took = [_seconds(one.pid) - start for one, start in zip(pair, before, strict=True)]
    for process in pair:
        process.kill()
        process.wait()
    assert took[0] > 1.8 * took[1]


def test_nothing_is_asked_of_a_process_that_is_gone() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    give_way(gone.pid, 5)


def _seconds(pid: int) -> float:
    """Processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
