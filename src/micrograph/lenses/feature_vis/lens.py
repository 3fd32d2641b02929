"""Feature visualization: the picture that excites a unit most."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograph.errors import not_found
from micrograph.lenses.contract import Can, Lens, View, Words
from micrograph.lenses.params import Optimized, option
from micrograph.lenses.result import Arrays, Result, units

if TYPE_CHECKING:
    import numpy as np

WORDS = Words(
    technique="feature_vis",
    title="Feature visualization",
    question="What would excite it most?",
    explanation=(
        "Start from noise and change the picture, step by step, so that one unit answers "
        "more and more strongly. What remains is a portrait of what the unit looks for."
    ),
    reading=(
        "Look for the pattern that repeats across the picture: that is what the unit looks for."
    ),
    caution=(
        "It is the extreme, not the everyday: no photograph looks like this, and a unit with "
        "several meanings may show only one of them."
    ),
    views=(
        View(
            "channel",
            "channel",
            "positive",
            "Whole channel",
            "excites the unit at every position of its map",
        ),
        View(
            "neuron",
            "neuron",
            "positive",
            "Centre neuron",
            "excites the unit at the central position only",
        ),
        View(
            "channel-negative",
            "channel",
            "negative",
            "Whole channel, negative",
            "silences the unit at every position of its map",
        ),
        View(
            "neuron-negative",
            "neuron",
            "negative",
            "Centre neuron, negative",
            "silences the unit at the central position only",
        ),
    ),
)
VARIANTS = (*(view.variant for view in WORDS.views), "neuron-at-Y-X", "alpha")
AT = re.compile(r"neuron-at-(\d{1,4})-(\d{1,4})")
"""A variant that names a position of the map, row and column."""
MOST = 64
"""Units that are read of those that the picture drives."""


@dataclass(frozen=True, kw_only=True)
class FeatureVisParams(Optimized, lens=WORDS.technique):
    """The options of feature visualization."""

    variants: tuple[str, ...] = option(
        ("channel",), f"one of {', '.join(VARIANTS)}", flag="--variant"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for variant in self.variants:
            if not AT.fullmatch(variant) and (variant not in VARIANTS or "Y" in variant):
                raise not_found("variant", variant, VARIANTS, self.lens)


@dataclass(frozen=True, kw_only=True)
class FeatureVisResult(Result):
    """What is kept beside a picture.

    `driven` are units of the node with their mean activation on the picture, largest first.
    `alpha` is the opacity of the picture, uint8 [y, x], for the variant with transparency (the
    picture itself is over grey), else None.
    """

    driven: tuple[tuple[int, float], ...] = ()
    alpha: "np.ndarray | None" = None

    def to_json(self) -> dict[str, Any]:
        return {"company": [list(pair) for pair in self.driven]}

    def arrays(self) -> Arrays:
        return {} if self.alpha is None else {"alpha": self.alpha}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "FeatureVisResult":
        return cls(driven=tuple(units(data.get("company"), MOST)))


LENS = Lens(
    words=WORDS,
    order=0,
    home=__package__,
    params=FeatureVisParams,
    result=FeatureVisResult,
    can=Can(lead=True, scores_picture=True),
)
