"""Processes that leave the processors to others as long as those have use for them."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

_MOST = 5
"""Niceness of a session: a third of what another one gets. With more, what is rendered in the
background would hardly go on beside something else that always works."""
_TRIES = 20
_PAUSE = 0.15
"""Seconds between tries: Linux lets users change this ten times a second, all of them together."""


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
