"""Feature accentuation: a given picture, changed until it excites a unit more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import PictureParams, option
from micrograph.lenses.result import Arrays, OnePicture, number, source, texts

WORDS = Words(
    technique="accentuate",
    title="Feature accentuation",
    question="What in a given picture does it respond to?",
    explanation=(
        "Start from a picture and change it, step by step, so that one unit answers more strongly, "
        "while a lower node goes on seeing nearly what it saw: what the unit found there is "
        "brought out where it was."
    ),
    reading="Compare with the picture it began as: what grew is what the unit answers to there.",
    caution="Given enough freedom anything can be brought out: look how far the lower node moved.",
    options="--image chelsea",
    score="mean activation",
)


@dataclass(frozen=True, kw_only=True)
class AccentuateParams(PictureParams, lens=WORDS.technique):
    """The options of feature accentuation. Its pictures have the size of the network's input."""

    below: str | None = option(
        None, "the lower node that is held", shown="half way to the unit's own node"
    )
    strength: float = option(
        4.0, "weight of staying near the picture, as the lower node sees it", low=0.0, high=1000.0
    )


@dataclass(frozen=True, kw_only=True)
class AccentuateResult(OnePicture):
    """What was done to one picture.

    `before` is the unit's mean activation on it. `below` is the lower node, and `moved` by how much
    its activations differ from those on the source, as a share of their length there.
    """

    before: float = 0.0
    below: str = ""
    moved: float = 0.0

    def to_json(self) -> dict[str, Any]:
        about = {"before": self.before, "below": self.below, "moved": self.moved}
        return about | super().to_json()

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "AccentuateResult":
        return cls(
            before=number(data.get("before")),
            below=texts(data, "below"),
            moved=number(data.get("moved")),
            source=source(data.get("source")),
        )


LENS = Lens(
    words=WORDS,
    order=85,
    home=__package__,
    params=AccentuateParams,
    result=AccentuateResult,
    can=Can(on_pictures=True, scores_picture=True),
    demo="toytown --node mixed4? --units 0-3 --technique accentuate --image owl",
)
