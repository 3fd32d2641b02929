"""Processes that let others go first, and that wait without work while they wait."""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

WAITS_QUIETLY = {"GOMP_SPINCOUNT": "0"}
"""Threads of torch that wait for each other sleep. By default they run in circles, some
milliseconds long, on processors that the site and the threads they wait for could have: beside as
many busy processes as there are processors a step takes twenty times as long then."""
TRIES, PAUSE = 5, 0.15


def quiet_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a process that works beside others; what somebody set stays."""
    return {**WAITS_QUIETLY, **environ}


def give_way(pid: int, niceness: int) -> None:
    """Have a process that has just begun come behind others by `niceness`, as far as the system
    lets us; it is to be the first of its session.

    Linux shares processors out between sessions first ("autogroups"), and there a process's own
    niceness counts for nothing: the session's has to be set, too.
    """
    if niceness <= 0:
        return
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
    if hasattr(os, "SCHED_BATCH"):  # it does not interrupt others as soon as it has something to do
        with suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    if not _set_session(pid, niceness):
        threading.Thread(target=_keep_trying, args=(pid, niceness), daemon=True).start()


def _set_session(pid: int, niceness: int) -> bool:
    """Whether there is nothing left to try. The system takes ten such wishes a second."""
    try:
        with open(f"/proc/{pid}/autogroup", "w") as file:
            file.write(str(niceness))
    except BlockingIOError:
        return False
    except OSError:  # no autogroups, no such process, or not allowed
        return True
    return True


def _keep_trying(pid: int, niceness: int) -> None:
    for _ in range(TRIES):
        time.sleep(PAUSE)
        if _set_session(pid, niceness):
            return
