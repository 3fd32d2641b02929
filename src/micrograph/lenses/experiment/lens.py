"""Experiments: what the live microscope makes, and a command makes again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from micrograph.errors import BadInput, short
from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Optimized, option
from micrograph.lenses.result import Arrays, Result, count, number

WORDS = Words(
    technique="experiment",
    title="Experiments",
    question="What has been tried on it?",
    explanation=(
        "Pictures that somebody made of the unit under the live microscope, with settings of "
        "their own: another objective, other transformations, together with other units."
    ),
    reading="Each picture says under which settings it was made; the score is this unit's own.",
    caution="Settings were chosen by somebody who looked: try others before you believe one.",
    under="feature_vis",
    score="activation of this unit alone, the strongest picture's",
)

OBJECTIVES = ("channel", "neuron")
SIGNS = ("positive", "negative")
TRANSFORMS = ("standard", "none", "shift", "strong")
TOGETHER = {1: 1, 2: 2, 4: 2, 9: 3}
"""How many pictures can be made together, and in how many columns they are shown."""
AT = re.compile(r"(\d{1,4})-(\d{1,4})", re.ASCII)
OTHER = re.compile(
    r"([+-]?(?:\d{1,4}(?:\.\d{0,6})?|\.\d{1,6})\*|[+-])?"
    r"([A-Za-z0-9_][A-Za-z0-9_.\-]{0,199})[/:](\d{1,9})",
    re.ASCII,
)
"""Another unit with its weight: `-0.5*mixed4a/7`, `-mixed4a/7`, `mixed4a:7`."""
MOST_OTHERS = 4


@dataclass(frozen=True)
class Other:
    """A unit that is added to the objective with a weight, which may be below 0."""

    weight: float
    node: str
    unit: int

    def __str__(self) -> str:
        return f"{self.weight:+g}*{self.node}/{self.unit}"


def other_units(text: str) -> tuple[Other, ...]:
    """The units that a text names, commas between. Raises BadInput for another form, and where
    there are too many."""
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = OTHER.fullmatch(part)
        if match is None:
            raise BadInput(
                f"others {short(part)} is not understood; expected WEIGHT*NODE/UNIT such as "
                "-0.5*mixed4a/7, commas between"
            )
        sign = match[1] or "+"
        weight = float(f"{sign}1" if sign in "+-" else sign.removesuffix("*"))
        if not weight:
            raise BadInput(f"others {short(part)} has no weight; expected another number than 0")
        found.append(Other(weight, match[2], int(match[3])))
    if len(found) > MOST_OTHERS:
        raise BadInput(f"{len(found)} other units given; expected at most {MOST_OTHERS}")
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class ExperimentParams(Optimized, lens=WORDS.technique):
    """The options of an experiment."""

    objective: str = option(
        "channel", "channel (the whole map) or neuron (one position)", choices=OBJECTIVES
    )
    at: str = option("", "the neuron's position, ROW-COLUMN", shown="the centre")
    sign: str = option("positive", "positive or negative", choices=SIGNS)
    transforms: str = option("standard", f"one of {', '.join(TRANSFORMS)}", choices=TRANSFORMS)
    together: int = option(
        1, "pictures made together, that are to differ: 1, 2, 4 or 9", choices=tuple(TOGETHER)
    )
    diversity: float = option(1.0, "of the reward for being different", low=0.0, high=1000.0)
    others: str = option("", "units to add or subtract: -0.5*mixed4a/7,mixed4b/3", shown="none")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at and AT.fullmatch(self.at) is None:
            raise BadInput(f"at {short(self.at)} is no position; expected ROW-COLUMN such as 3-4")
        if self.at and self.objective != "neuron":
            raise BadInput(
                f"at {self.at} given for the objective {self.objective}; a position is of a neuron"
            )
        other_units(self.others)

    @property
    def other_units(self) -> tuple[Other, ...]:
        """Those that `others` names."""
        return other_units(self.others)

    @property
    def position(self) -> tuple[int, int] | None:
        """Row and column; None for the centre."""
        row, _, column = self.at.partition("-")
        return (int(row), int(column)) if self.at else None


@dataclass(frozen=True, kw_only=True)
class ExperimentResult(Result):
    """Pictures made together lie in a mosaic without gaps; `scores` are the unit's own activations
    on them, row by row, and `driven` those of all units of the objective on the strongest."""

    columns: int = 1
    rows: int = 1
    scores: tuple[float, ...] = ()
    driven: tuple[tuple[str, float], ...] = ()

    @property
    def grid(self) -> tuple[int, int]:
        return self.columns, self.rows

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": self.columns,
            "rows": self.rows,
            "scores": list(self.scores),
            "driven": [list(pair) for pair in self.driven],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "ExperimentResult":
        scores, driven = data.get("scores"), data.get("driven")
        return cls(
            columns=count(data.get("columns")),
            rows=count(data.get("rows")),
            scores=tuple(number(s) for s in scores[:16]) if isinstance(scores, list) else (),
            driven=_driven(driven) if isinstance(driven, list) else (),
        )


def _driven(given: Sequence[Any]) -> tuple[tuple[str, float], ...]:
    return tuple(
        (str(one[0])[:300], number(one[1]))
        for one in given[: MOST_OTHERS + 1]
        if isinstance(one, list) and len(one) == 2
    )


LENS = Lens(
    words=WORDS,
    order=45,
    home=__package__,
    params=ExperimentParams,
    result=ExperimentResult,
    can=Can(scores_picture=True, live=True),
    demo="toytown --node mixed4c --units 20 --technique experiment --option others=-1*mixed4c/3",
)
