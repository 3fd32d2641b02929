"""Comparing an answer with the recorded one, key by key."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

RELATIVE = 1e-6
"""By how much two numbers may differ, of the larger one."""


@dataclass(frozen=True)
class Difference:
    """One place where an answer is not as recorded. `path` is as `$.sections[2].families[0].best`;
    `recorded` and `now` are the two values, `now` is `MISSING` where there is none."""

    path: str
    recorded: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.path}: recorded {_short(self.recorded)}, now {_short(self.now)}"


@dataclass(frozen=True)
class Expected:
    """Differences that are meant: at lines of `urls.txt` and paths that match these expressions
    from start to end, where `holds(recorded, now)` is true. `why` is for readers."""

    urls: str
    path: str
    holds: Callable[[Any, Any], bool]
    why: str

    def allows(self, url: str, difference: Difference) -> bool:
        return bool(
            re.fullmatch(self.urls, url)
            and re.fullmatch(self.path, difference.path)
            and self.holds(difference.recorded, difference.now)
        )


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def differences(recorded: Any, now: Any, path: str = "$") -> Iterator[Difference]:
    """Where `now` lacks something of `recorded` or has another value.

    Objects may have new keys; lists must be as long, item by item; numbers may be off by a
    rounding; everything else must be equal and of the same kind.
    """
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key, value in recorded.items():
            place = f"{path}.{key}" if re.fullmatch(r"\w+", key) else f"{path}[{key!r}]"
            if key in now:
                yield from differences(value, now[key], place)
            else:
                yield Difference(place, value, MISSING)
    elif isinstance(recorded, list) and isinstance(now, list):
        if len(recorded) != len(now):
            yield Difference(f"{path}.length", len(recorded), len(now))
        for place, (one, other) in enumerate(zip(recorded, now, strict=False)):
            yield from differences(one, other, f"{path}[{place}]")
    elif not _same(recorded, now):
        yield Difference(path, recorded, now)


def unexpected(
    url: str, recorded: Any, now: Any, expected: Iterable[Expected] = ()
) -> list[Difference]:
    """The differences that none of `expected` allows."""
    expected = tuple(expected)
    return [
        difference
        for difference in differences(recorded, now)
        if not any(one.allows(url, difference) for one in expected)
    ]


def _same(one: Any, other: Any) -> bool:
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-12)
    return type(one) is type(other) and one == other


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
