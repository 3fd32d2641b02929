"""Diversity: several pictures of one unit that must differ from each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.errors import BadInput
from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Optimized, option
from micrograph.lenses.result import Arrays, Result, count, number

WORDS = Words(
    technique="diversity",
    title="Diversity",
    question="What else would excite it?",
    explanation=(
        "Several pictures of one unit are made together and pushed apart in style, so that a unit "
        "with several meanings shows more than the strongest."
    ),
    reading="What all facets share is what the unit needs; where they differ it does not care.",
    caution="The push apart can force differences that mean nothing: compare the facets' scores.",
    under="feature_vis",
    score="mean activation of the strongest",
)

VARIANTS = ("facets",)
FACETS = (4, 6, 9, 12, 16)
"""How many pictures make a mosaic without gaps."""


@dataclass(frozen=True, kw_only=True)
class DiversityParams(Optimized, lens=WORDS.technique):
    """The options of diversity; `size` is that of one facet."""

    facets: int = option(4, f"pictures of each unit: {', '.join(map(str, FACETS))}")
    weight: float = option(1.0, "of the reward for being different", low=0.0, high=1000.0)
    variants: tuple[str, ...] = option(
        VARIANTS, "the only view", choices=VARIANTS, flag="--variant"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.facets not in FACETS:
            raise BadInput(f"facets {self.facets!r} make no mosaic; expected one of {FACETS}")


@dataclass(frozen=True, kw_only=True)
class DiversityResult(Result):
    """A mosaic of `rows` times `columns` facets without gaps; `scores` are the unit's mean
    activations on them, row by row."""

    columns: int = 1
    rows: int = 1
    scores: tuple[float, ...] = ()

    @property
    def grid(self) -> tuple[int, int]:
        return self.columns, self.rows

    def to_json(self) -> dict[str, Any]:
        return {"columns": self.columns, "rows": self.rows, "scores": list(self.scores)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "DiversityResult":
        given = data.get("scores")
        return cls(
            columns=count(data.get("columns")),
            rows=count(data.get("rows")),
            scores=tuple(number(s) for s in given[:100]) if isinstance(given, list) else (),
        )


LENS = Lens(
    words=WORDS,
    order=10,
    home=__package__,
    params=DiversityParams,
    result=DiversityResult,
    can=Can(scores_picture=True),
)
