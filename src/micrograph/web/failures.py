"""When the code of a lens fails: its part is left out, and the page is shown all the same."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TypeVar

from micrograph.errors import BadInput, Conflict, Unavailable, short

LOG = logging.getLogger("micrograph.web")
_NOTED: ContextVar[list[str] | None] = ContextVar("noted_failures", default=None)
T = TypeVar("T")


def attempt(title: str, make: Callable[[], T], otherwise: Callable[[str], T]) -> T:
    """`make()`, or where that fails `otherwise(line)`, one line about the failure of `title`.

    The log gets the traceback once, however often the page is asked for. Raises BadInput, Conflict
    and Unavailable as `make` does: then it is the atlas that cannot be read, not the lens that is
    broken. A lens that looks for what does not exist is broken: the page itself is there.
    """
    try:
        return make()
    except (BadInput, Conflict, Unavailable):
        raise
    except Exception as error:
        line = _failure_line(title, error)
        noted = _NOTED.get()
        if noted is not None:
            noted.append(line)
        log_once(line)
        return otherwise(line)


@contextmanager
def noted_failures() -> Iterator[list[str]]:
    """The lines of what fails meanwhile: such a page is not one to be kept."""
    lines: list[str] = []
    token = _NOTED.set(lines)
    try:
        yield lines
    finally:
        _NOTED.reset(token)


def _failure_line(title: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    why = type(error).__name__ + (f": {short(text)}" if text else "")
    return f"{title} cannot be shown here, its code failed ({why}); the site's log says where"


@lru_cache(maxsize=1024)
def log_once(line: str) -> None:
    """The line and the traceback of the error at hand, unless the line is in the log already."""
    LOG.error(line, exc_info=True)
