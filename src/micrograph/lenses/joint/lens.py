"""Joint optimization: from one unit over both to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Optimized, option
from micrograph.lenses.result import Arrays, Result, count, number, pairs

WORDS = Words(
    technique="joint",
    title="Two units together",
    question="What excites two units at once?",
    explanation=(
        "One picture excites two units at once, with weights that go from one to the other: how "
        "units speak together is seldom the sum of the two."
    ),
    reading="From left to right the weight moves from this unit to the other; the middle has both.",
    caution="A mixture may show a compromise that no picture of the world contains.",
    under="feature_vis",
    options="-o partner={node}:{other}",
    score="share that both keep of what each reaches alone",
)


@dataclass(frozen=True, kw_only=True)
class JointParams(Optimized, lens=WORDS.technique):
    """The options of joint optimization."""

    partner: str | None = option(None, "the other unit, as NODE:UNIT", shown="needed")


@dataclass(frozen=True, kw_only=True)
class JointResult(Result):
    """A strip of pictures, one row. `partner` is the other unit, node and number (None where that
    cannot be read). For each picture `weights` of the unit and of the partner, and their mean
    activations on it, `scores`.
    """

    partner: tuple[str, int] | None = None
    columns: int = 1
    weights: tuple[tuple[float, float], ...] = ()
    scores: tuple[tuple[float, float], ...] = ()

    @property
    def grid(self) -> tuple[int, int]:
        return self.columns, 1

    def to_json(self) -> dict[str, Any]:
        return {
            "partner": list(self.partner or ()),
            "columns": self.columns,
            "weights": [list(pair) for pair in self.weights],
            "scores": [list(pair) for pair in self.scores],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "JointResult":
        other = data.get("partner")
        return cls(
            partner=(str(other[0]), other[1])
            if isinstance(other, list) and len(other) == 2
            else None,
            columns=count(data.get("columns")),
            weights=_numbers(data.get("weights")),
            scores=_numbers(data.get("scores")),
        )


def _numbers(given: Any) -> tuple[tuple[float, float], ...]:
    return tuple((number(a), number(b)) for a, b, *_ in pairs(given)[:100])


LENS = Lens(
    words=WORDS,
    order=40,
    home=__package__,
    params=JointParams,
    result=JointResult,
    can=Can(scores_picture=True),
)
