"""Stored evidence as anybody may have written it: what makes no sense is left out, and what is
larger than a page may be is not shown at all, with the reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.address import NAME, UNIT
from micrograph.lenses.result import dicts, number, texts

MOST_READINGS = 1000
"""Of all lines together."""
MOST_CONTROLS = 100_000
"""Of all readings together."""
MOST_NUMBERS = 20_000
"""Further figures of all readings together, with the entries of those that are lists."""
MOST_IN_A_LIST = 1000
"""Lines, and rules."""
LONGEST = 2000
"""Characters of a text."""
WIDEST = 64
"""Positions of a kernel along a side."""
_COMMAND = re.compile(r'micrograph [a-z][\w ./:+,=@~"<-]*', re.ASCII)
"""Readers paste commands, and an atlas may say anything: what a shell would do more is left out."""
_UNIT = re.compile(rf"{NAME}/{UNIT}")


@dataclass(frozen=True, kw_only=True)
class ClaimReading:
    """What a line says of one source ("" for all together): see `circuits.claims.evidence`."""

    source: str
    effect: float
    low: float | None
    high: float | None
    p: float
    verdict: str
    controls: list[float]
    numbers: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ClaimLine:
    """A line of evidence."""

    name: str
    question: str
    verdict: str
    measure: str
    control: str
    readings: list[ClaimReading]
    missing: str
    command: str


def too_large(data: Mapping[str, Any]) -> str:
    """Why evidence is not shown, "" where it has a size that fits on a page."""
    lines, rules = dicts(data.get("lines")), data.get("rule")
    readings = [one for line in lines for one in dicts(line.get("readings"))]
    controls = [c for one in readings if isinstance(c := one.get("controls"), list)]
    sizes = {
        "lines": (len(lines), MOST_IN_A_LIST),
        "rules": (len(rules) if isinstance(rules, list) else 0, MOST_IN_A_LIST),
        "readings": (len(readings), MOST_READINGS),
        "controls": (sum(map(len, controls)), MOST_CONTROLS),
        "numbers": (sum(_length(one.get("numbers")) for one in readings), MOST_NUMBERS),
    }
    for name, (there, most) in sizes.items():
        if there > most:
            return f"the evidence that is stored has {there} {name}; {most} at most are shown"
    return ""


def lines_of(data: Mapping[str, Any]) -> list[ClaimLine]:
    """The lines of evidence that is not too large."""
    return [
        ClaimLine(
            name=_text(one, "name"),
            question=_text(one, "question"),
            verdict=_text(one, "verdict"),
            measure=_text(one, "measure"),
            control=_text(one, "control"),
            readings=[_reading(r) for r in dicts(one.get("readings"))],
            missing=_text(one, "missing"),
            command=given if _COMMAND.fullmatch(given := _text(one, "command")) else "",
        )
        for one in dicts(data.get("lines"))
    ]


def rule_of(data: Mapping[str, Any]) -> list[str]:
    """The rule by which verdicts were given, in words."""
    given = data.get("rule")
    return [s[:LONGEST] for s in given if isinstance(s, str)] if isinstance(given, list) else []


def verdict_of(data: Mapping[str, Any]) -> str:
    """The verdict on the whole claim, "" for none."""
    return _text(data, "verdict")


def kernel_of(data: Mapping[str, Any], unit: str) -> list[list[float]]:
    """The weights from a source to the target, [y, x]; empty where they are no rectangle."""
    given = mapping(data.get("kernels")).get(unit)
    if not isinstance(given, list) or not all(isinstance(row, list) for row in given):
        return []
    widths = {len(row) for row in given}
    if len(widths) != 1 or not 0 < min(widths) <= WIDEST or len(given) > WIDEST:
        return []
    return [[number(value) for value in row] for row in given]


def mapping(given: Any) -> Mapping[str, Any]:
    """`given` where it is an object, else an empty one."""
    return given if isinstance(given, Mapping) else {}


def _text(data: Mapping[str, Any], key: str) -> str:
    return texts(data, key)[:LONGEST]


def _reading(data: Mapping[str, Any]) -> ClaimReading:
    controls = data.get("controls")
    low, high = _number(data.get("low")), _number(data.get("high"))
    interval = low is not None and high is not None
    return ClaimReading(
        source=_text(data, "source"),
        effect=number(data.get("effect")),
        low=low if interval else None,
        high=high if interval else None,
        p=number(data.get("p"), 1.0),
        verdict=_text(data, "verdict"),
        controls=[number(c) for c in controls] if isinstance(controls, list) else [],
        numbers={
            name[:LONGEST]: value
            for name, given in mapping(data.get("numbers")).items()
            if (value := _figure(given)) is not None
        },
    )


def _figure(given: Any) -> Any:
    """A number, a text, a truth, or a list of units or of pairs of numbers; None for all else."""
    if isinstance(given, bool | str):
        return given[:LONGEST] if isinstance(given, str) else given
    if not isinstance(given, list):
        known = _number(given)
        return None if known is None else given
    if all(isinstance(one, str) for one in given):
        return [one for one in given if _UNIT.fullmatch(one)]
    pairs = [one for one in given if isinstance(one, list) and len(one) == 2]
    fine = len(pairs) == len(given) and all(_number(v) is not None for one in pairs for v in one)
    return pairs if fine else None


def _number(given: Any) -> float | None:
    known = number(given, float("inf"))
    return None if known == float("inf") else known


def _length(given: Any) -> int:
    """How many numbers and entries of lists there are."""
    values = mapping(given).values()
    return len(values) + sum(len(one) for one in values if isinstance(one, list))
