"""Prototype: a picture with the distributions of values that a unit's examples have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Optimized, option
from micrograph.lenses.result import Arrays, Result, number, pairs, texts

WORDS = Words(
    technique="prototype",
    title="Prototype",
    question="What is a typical picture that it answers to like?",
    explanation=(
        "A picture is made from noise until the channels of lower nodes that carry the unit have "
        "the same values, wherever in the picture, as on the dataset's pictures that excite it "
        "most."
    ),
    reading="Look for what the strongest examples share; the rest is what stands around it there.",
    caution=(
        "It shows no more than the examples hold: what the dataset lacks cannot appear, and what "
        "its pictures happen to share appears though the unit may not care."
    ),
    options="--dataset toytown",
    score="mean activation",
)


@dataclass(frozen=True, kw_only=True)
class PrototypeParams(Optimized, lens=WORDS.technique):
    """The options of prototypes."""

    dataset: str = option(
        "toytown", "the dataset of the examples, of which there must be a sweep in the atlas"
    )
    examples: int = option(8, "strongest examples that count", unit="examples", low=1, high=64)
    layers: int = option(6, "nodes below whose values count", unit="nodes", low=1, high=64)
    strength: float = option(
        0.2, "weight of the unit's own activation; 0 leaves it out", low=0.0, high=1000.0
    )


@dataclass(frozen=True, kw_only=True)
class PrototypeResult(Result):
    """What a picture was made like.

    `dataset` is the digest of the dataset, `examples` are the numbers of the pictures in it.
    `nodes` are those whose values were matched, with how far the picture's are from the examples'
    (a share: 0 is the same, 1 as far as a blank map). `typical` is the unit's mean activation on
    the examples. `reason` says why there is no picture, "" where there is one.
    """

    dataset: str = ""
    examples: tuple[int, ...] = ()
    nodes: tuple[tuple[str, float], ...] = ()
    typical: float = 0.0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "examples": list(self.examples),
            "nodes": [list(node) for node in self.nodes],
            "typical": self.typical,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "PrototypeResult":
        given = data.get("examples")
        numbers = given if isinstance(given, list) else []
        return cls(
            dataset=texts(data, "dataset"),
            examples=tuple(n for n in numbers if type(n) is int and n >= 0),
            nodes=tuple(
                (name, number(value))
                for name, value, *_ in pairs(data.get("nodes"))
                if isinstance(name, str)
            ),
            typical=number(data.get("typical")),
            reason=texts(data, "reason")[:500],
        )


LENS = Lens(
    words=WORDS,
    order=55,
    home=__package__,
    params=PrototypeParams,
    result=PrototypeResult,
    can=Can(variant_title="Dataset", scores_picture=True),
    demo="toytown --node mixed4? --units 0-3 --technique prototype",
)
