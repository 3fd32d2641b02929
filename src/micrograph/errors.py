"""Errors a user can act on.

Every message is one line that says what was given, what was expected and what to do. The command
line prints it and exits with status 2; the site answers with `status`.
"""

import difflib
from collections.abc import Iterable


class MicrographError(Exception):
    """Base of every error that is the caller's to mend. `status` is the HTTP status of its page."""

    status = 400


class BadInput(MicrographError):
    """A value that cannot be used: a wrong type, range or form."""


class DamagedAtlas(BadInput):
    """A file of ours whose content makes no sense. Whoever asked for a page of it did nothing
    wrong, so its page has a status of the server's."""

    status = 500


class NotFound(MicrographError):
    """Something named does not exist. `nearest` holds close names, best first."""

    status = 404

    def __init__(self, message: str, nearest: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.nearest = tuple(nearest)


class Conflict(MicrographError):
    """Somebody else holds what was asked for (a writer's lock, a port)."""

    status = 409


class Unavailable(MicrographError):
    """Something needed is missing here: weights, an extra, space on the disk, a permission."""

    status = 503


def short(text: object, limit: int = 80) -> str:
    """What was given, quoted for a message of one line; cut where it is longer than `limit`."""
    shown = str(text)
    return repr(shown if len(shown) <= limit else shown[: limit - 3] + "...")


def nearest(name: str, known: Iterable[str], limit: int = 4) -> tuple[str, ...]:
    """The names in `known` that look most like `name`, best first, compared without case."""
    by_folded = {k.lower(): k for k in known}
    hits = difflib.get_close_matches(name.lower(), list(by_folded), n=limit, cutoff=0.4)
    return tuple(by_folded[h] for h in hits)


def not_found(kind: str, name: object, known: Iterable[str], where: str = "") -> NotFound:
    """The error for an unknown `kind` ("model", "node", ...) called `name`, with close names."""
    known = list(known)
    close = nearest(str(name)[:200], known)
    if close:
        hint = "did you mean " + " or ".join(repr(c) for c in close[:3]) + "?"
    elif known:
        hint = "known: " + ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    else:
        hint = "there is none yet"
    place = f" in {where}" if where else ""
    return NotFound(f"unknown {kind} {short(name)}{place}; {hint}", close)


def install_line(extra: str) -> str:
    """The command that installs an extra and leaves torch as it is: without its version, pip would
    replace it by the newest that fits the extra, with gigabytes of CUDA."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        kept = f" torch=={version('torch').partition('+')[0]}"
    except PackageNotFoundError:
        kept = ""
    return f"pip install 'micrograph[{extra}]'{kept}"
