"""What columns may hold. SQLite keeps any type in any column of a table that is not STRICT, and a
file that anybody may have written need not be: types are checked where rows become records.

Each function gives its value back, or raises ValueError.
"""

import json
import math
import re
from typing import Any

_PERHAPS_HALF = re.compile(r"\\u[dD][89a-fA-F]")
LONGEST_TEXT = 1 << 20
"""Characters of a text; names and titles are far shorter."""
LONGEST_JSON = 16 << 20
"""Characters of JSON in a column. What is larger belongs into arrays."""
WIDEST = 1 << 16
"""Pixels of a side of a picture, at most."""
_DIGEST = re.compile(r"[0-9a-f]{32,64}\Z")
_COLOR = re.compile(r"#[0-9a-f]{6}\Z")


def text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError(f"{str(value)[:40]!r} is no text")
    return value


def whole(value: Any, low: int = -(1 << 63), high: int = (1 << 63) - 1) -> int:
    """A whole number from `low` to `high`."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from {low} to {high}")
    return value


def real(value: Any) -> float:
    """A finite number."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no finite number")
    return float(value)


def digest(value: Any) -> str:
    """Hex digits of a digest."""
    if not isinstance(value, str) or not _DIGEST.match(value):
        raise ValueError(f"{str(value)[:40]!r} is no digest")
    return value


def color(value: Any) -> str:
    """ "#rrggbb"."""
    if not isinstance(value, str) or not _COLOR.match(value):
        raise ValueError(f"{str(value)[:40]!r} is no colour")
    return value


def data(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError(f"{str(value)[:40]!r} is no data")
    return value


def parsed(value: Any) -> Any:
    """What a text of JSON holds. It can write halves of signs, which no page can: refused."""
    if not isinstance(value, str) or len(value) > LONGEST_JSON:
        raise ValueError(f"{str(value)[:40]!r} is no JSON")
    found = json.loads(value)
    if _PERHAPS_HALF.search(value):
        json.dumps(found, ensure_ascii=False).encode()  # a ValueError where one stands alone
    return found


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object."""
    found = parsed(value)
    if not isinstance(found, dict):
        raise ValueError(f"{str(value)[:40]!r} is no JSON object")
    return found


def named_texts(value: Any) -> dict[str, str]:
    """A JSON object of texts by name; what is no text stands there as the JSON that it is."""
    return {
        name: item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
        for name, item in mapping(value).items()
    }


def texts(value: Any) -> tuple[str, ...]:
    """A JSON list of texts."""
    found = parsed(value)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise ValueError(f"{str(value)[:40]!r} is no list of texts")
    return tuple(found)
