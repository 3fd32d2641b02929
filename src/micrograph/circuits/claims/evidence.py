"""Evidence as plain data: lines, each with its number, control and verdict. No torch here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

SUPPORTS, NEUTRAL, CONTRADICTS = "supports", "neutral", "contradicts"
MISSING = "not enough evidence"
VERDICTS = (SUPPORTS, NEUTRAL, CONTRADICTS, MISSING)

LINES = {
    "weights": "Do the weights lead from the sources to the target, with the sign claimed?",
    "ablation": "Does the target fall when the sources are silenced?",
    "coactivation": "Do sources and target fire on the same pictures, at the same places?",
    "synthesis": "Do the sources fire on a picture made for the target, and the other way round?",
    "specificity": "Is it this target that the sources drive, and not just any unit?",
}
"""The lines of evidence, with the question that each answers."""

P = 0.05
OPPOSITE = 0.95
ENOUGH = 2

_LINE_RULE = (
    f"A line supports a source if at most {P:.0%} of the controls reach what it reaches in the "
    f"direction claimed (p <= {P:g}); it contradicts if {OPPOSITE:.0%} do (p >= {OPPOSITE:g})."
)
_ABLATION_RULE = (
    "Ablation must also be above 0 over pictures (95 % interval), and contradicts where that "
    "interval lies below what half of the controls reach: silencing a random unit takes more."
)
_CLAIM_RULE = (
    f"The claim is supported if ablation and at least {ENOUGH} other lines support it and none "
    "contradicts; contradicted if ablation or two lines contradict it; neutral otherwise."
)
RULES = (
    _LINE_RULE,
    _ABLATION_RULE,
    "A line's verdict is that of its weakest source.",
    _CLAIM_RULE,
    "Without ablation and co-activation there is not enough evidence.",
)
"""The rule by which verdicts are given, in words."""


@dataclass(frozen=True, kw_only=True)
class SourceReading:
    """What one line says of one source, or, with `source` "", of all together.

    `effect` is positive where it goes as claimed; `low` and `high` are its 95 % interval over
    pictures, None where there is none. `p` is the share of `controls` that reach it. `numbers` are
    further figures by name.
    """

    source: str
    effect: float
    p: float
    verdict: str
    controls: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "effect": _short(self.effect),
            "low": None if self.low is None else _short(self.low),
            "high": None if self.high is None else _short(self.high),
            "p": _short(self.p),
            "verdict": self.verdict,
            "controls": [_short(value) for value in self.controls],
            "numbers": {
                k: _short(v) if isinstance(v, float) else v for k, v in self.numbers.items()
            },
        }


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of evidence. `measure` says what `effect` is, `control` what the controls are.
    Where there is not enough, `missing` says what, and `command` what gets it."""

    name: str
    verdict: str
    measure: str = ""
    control: str = ""
    readings: tuple[SourceReading, ...] = ()
    missing: str = ""
    command: str = ""

    @property
    def question(self) -> str:
        return LINES[self.name]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "question": self.question,
            "verdict": self.verdict,
            "measure": self.measure,
            "control": self.control,
            "readings": [reading.to_json() for reading in self.readings],
            "missing": self.missing,
            "command": self.command,
        }


def reading(
    source: str,
    effect: float,
    p: float,
    *,
    controls: Sequence[float] = (),
    interval: tuple[float, float] | None = None,
    usual: float | None = None,
    numbers: Mapping[str, Any] | None = None,
) -> SourceReading:
    """A reading with its verdict by the rule; `usual` is what half of the controls reach, where
    an interval below it contradicts."""
    low, high = interval or (None, None)
    if p <= P and (low is None or low > 0):
        verdict = SUPPORTS
    elif p >= OPPOSITE or (usual is not None and high is not None and high < usual):
        verdict = CONTRADICTS
    else:
        verdict = NEUTRAL
    return SourceReading(
        source=source,
        effect=effect,
        p=p,
        verdict=verdict,
        controls=tuple(controls),
        low=low,
        high=high,
        numbers=numbers or {},
    )


def line(name: str, measure: str, control: str, readings: Sequence[SourceReading]) -> Line:
    """A line whose verdict is that of the weakest reading."""
    verdicts = {one.verdict for one in readings}
    weakest = next(v for v in (CONTRADICTS, NEUTRAL, SUPPORTS) if v in verdicts)
    return Line(
        name=name, verdict=weakest, measure=measure, control=control, readings=tuple(readings)
    )


def not_enough(name: str, missing: str, command: str = "") -> Line:
    """A line that says what is missing."""
    return Line(name=name, verdict=MISSING, missing=missing, command=command)


def overall(lines: Sequence[Line]) -> str:
    """The verdict on the claim, by the rule."""
    by_name = {one.name: one.verdict for one in lines}
    if MISSING in (by_name.get("ablation", MISSING), by_name.get("coactivation", MISSING)):
        return MISSING
    against = sum(v == CONTRADICTS for v in by_name.values())
    if by_name["ablation"] == CONTRADICTS or against >= 2:
        return CONTRADICTS
    others = sum(v == SUPPORTS for name, v in by_name.items() if name != "ablation")
    if by_name["ablation"] == SUPPORTS and others >= ENOUGH and not against:
        return SUPPORTS
    return NEUTRAL


def with_command(lines: Sequence[Line], command: str) -> tuple[Line, ...]:
    """The same, those that are missing something with the command that gets it."""
    return tuple(
        replace(one, command=one.command or command) if one.verdict == MISSING else one
        for one in lines
    )


def _short(value: float) -> float:
    """Six significant digits: what a reader may compare, without noise."""
    return float(f"{value:.6g}")
