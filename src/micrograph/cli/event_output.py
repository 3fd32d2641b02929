"""Events on standard output, for the program that started a command."""

import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from micrograph.errors import MicrographError
from micrograph.events import Event, Failed, to_line

GONE = 130
"""Exit status of a worker whose standard output was closed."""


def event_teller(*, ends_with_reader: bool = False) -> Callable[[Event], None]:
    """Take standard output for events only, and give what writes one, from any thread.

    What libraries print goes to standard error from then on. With `ends_with_reader` the process
    ends as soon as the other end of the pipe is closed, even in the middle of its work.
    """
    tell = numbered_event_teller(ends_with_reader=ends_with_reader)
    return lambda event: tell(None, event)


def numbered_event_teller(*, ends_with_reader: bool = False) -> Callable[[int | None, Event], None]:
    """The same for a process that answers several questions at a time: each event with the number
    of its question."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()
    if ends_with_reader and hasattr(select, "poll"):
        threading.Thread(target=_end_with_reader, args=(events.fileno(),), daemon=True).start()

    def tell(of: int | None, event: Event) -> None:
        with lock:
            events.write(to_line(event, of))
            events.flush()

    return tell


@contextmanager
def failures_as_events(tell: Callable[[Event], None] | None) -> Iterator[None]:
    """A context in which a MicrographError becomes an event and ends the command with status 2;
    without `tell` it is raised."""
    try:
        yield
    except MicrographError as error:
        if tell is None:
            raise
        tell(Failed(str(error), error.status))
        raise click.exceptions.Exit(2) from None


def _end_with_reader(pipe: int) -> None:
    """A pipe reports an error, unasked, once nobody can read from it; a file never does."""
    poll = select.poll()
    poll.register(pipe, 0)
    ((_, state),) = poll.poll()
    if state & (select.POLLERR | select.POLLHUP):
        os._exit(GONE)
