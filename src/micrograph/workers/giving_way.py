"""Processes that leave the processors to others as long as those have use for them, and that wait
without work while they wait."""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

WAITS_QUIETLY = {"GOMP_SPINCOUNT": "0"}
"""Threads of torch that wait for each other sleep. By default they run in circles, some
milliseconds long, on processors that the site and the threads they wait for could have: beside as
many busy processes as there are processors a step takes twenty times as long then."""
_MOST = 10
"""Niceness of a session: a tenth of what another one gets. With more, what is rendered in the
background would never be done beside something else that always works."""
_TRIES = 20
_PAUSE = 0.15
"""Seconds between tries: Linux lets users change this ten times a second, all of them together."""


def quiet_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a process that works beside others; what somebody set stays."""
    return {**WAITS_QUIETLY, **environ}


def give_way(pid: int, niceness: int) -> None:
    """Add `niceness` to that of a process, and to that of its session, which it must have for
    itself. Whatever the system does not allow is left as it is.

    Linux may share out processors by session first (sched(7), "autogroup"); then the niceness of a
    process counts among those of its own session only, and a worker with a session of its own would
    get as much as the whole site.
    """
    if niceness <= 0 or not hasattr(os, "setpriority"):
        return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
    if hasattr(os, "SCHED_BATCH"):  # it does not interrupt others as soon as it has something to do
        with suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    if not _told_session(pid, niceness):
        threading.Thread(target=_tell_again, args=(pid, niceness), daemon=True).start()


def _told_session(pid: int, niceness: int) -> bool:
    """False where that is to be tried again."""
    session = Path(f"/proc/{pid}/autogroup")
    try:
        session.write_text(str(min(_MOST, niceness)))
    except BlockingIOError:
        return False
    except OSError:  # no such thing here, or not allowed
        return True
    return True


def _tell_again(pid: int, niceness: int) -> None:
    for _ in range(_TRIES):
        time.sleep(_PAUSE)
        if _told_session(pid, niceness):
            return
