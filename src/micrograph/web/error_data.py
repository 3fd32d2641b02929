"""An error as data: the one shape in which the site tells programs of it, wherever it was met."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TITLES = {404: "There is no such place", 409: "Somebody is at it already"}


def title_of(status: int) -> str:
    """What a status means to a reader."""
    return _TITLES.get(status, "That did not work")


def error_data(status: int, message: str, nearest: Iterable[Mapping[str, str]] = ()) -> bytes:
    """The fields of an `ErrorPage`, as JSON."""
    fields: dict[str, Any] = {
        "kind": "error",
        "title": title_of(status),
        "status": status,
        "message": message,
        "nearest": [*nearest],
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def wants_data(method: str, path: str) -> bool:
    """Whether a program asks: for a twin, or at an address that has no page."""
    return method == "POST" or _DATA.fullmatch(path) is not None


_DATA = re.compile(
    r".*\.json|.*\.preview\.jpg|/circuits/.*\.(svg|png)|/resolve|/oembed|/models/[^/]+/[^/]+/[^/]+/map",
    re.DOTALL,
)
