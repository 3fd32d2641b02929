"""Faceted feature visualization: pictures of a unit steered to themes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Optimized, option
from micrograph.lenses.result import Arrays, Result, number, pairs

WORDS = Words(
    technique="faceted_feature_vis",
    title="Facets by theme",
    question="What would excite it within a theme?",
    explanation=(
        "The picture excites the unit and at the same time leans towards a theme, such as a "
        "vehicle or a building, that a linear probe has learned."
    ),
    reading="Compare the themes: what stays is the unit's own, what changes is the theme's.",
    caution="A theme can be forced on a unit that has nothing to do with it: look at the scores.",
    under="feature_vis",
    score="mean activation",
)

THEMES = ("vehicle", "building", "animal", "plant")
"""Those that are looked for where none are named."""


@dataclass(frozen=True, kw_only=True)
class FacetedParams(Optimized, lens=WORDS.technique):
    """The options of facets by theme."""

    strength: float = option(8.0, "weight of the theme", low=0.0, high=1000.0)
    layers: int = option(4, "nodes below whose probes are used", unit="nodes", low=1, high=64)
    scenes: int = option(
        800, "toytown scenes that probes are fitted on", unit="scenes", low=16, high=20_000
    )
    probes: str | None = option(
        None, "a safetensors file of probes, which then is the one theme", shown="fitted here"
    )
    variants: tuple[str, ...] = option(THEMES, "themes", flag="--variant")


@dataclass(frozen=True, kw_only=True)
class FacetedResult(Result):
    """`probes` are the nodes whose probes steered the picture, each with the area under its
    ROC curve on pictures held out (None where that is not known)."""

    probes: tuple[tuple[str, float | None], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"probes": [list(probe) for probe in self.probes]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "FacetedResult":
        given = pairs(data.get("probes"))
        return cls(
            probes=tuple(
                (name, None if area is None else number(area))
                for name, area, *_ in given
                if isinstance(name, str)
            )
        )


LENS = Lens(
    words=WORDS,
    order=30,
    home=__package__,
    params=FacetedParams,
    result=FacetedResult,
    can=Can(needs_text=True, variant_title="Theme", scores_picture=True),
)
