"""Neuron groups: the few patterns that a node's answer to a picture is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import PictureParams, option
from micrograph.lenses.result import Arrays, OnePicture, dicts, number, source, units

WORDS = Words(
    technique="neuron_groups",
    title="Neuron groups",
    question="Which groups of units explain a picture?",
    explanation=(
        "The activations on a picture are factored into a few groups of units that act "
        "together, each with a map of where, and a picture of what."
    ),
    reading="A group's map says where in the picture it acts, its picture what it stands for.",
    caution="How many groups there are was chosen, not found; another number gives others.",
    level="node",
    score="share of the activations explained",
)

MOST_GROUPS = 32
UNITS = 8
"""Units that are named of each group."""


@dataclass(frozen=True, kw_only=True)
class NeuronGroupsParams(PictureParams, lens=WORDS.technique):
    """The options of neuron groups."""

    groups: int = option(6, "groups to take the activations apart into", low=1, high=MOST_GROUPS)
    size: int | None = option(None, "side of a group's picture", unit="px", shown="the preset's")
    cosine_power: float = option(
        1.0, "a larger one keeps closer to the direction", low=0.0, high=10.0
    )


@dataclass(frozen=True, kw_only=True)
class GroupOfUnits:
    """`map` are rows in 0..1 (one number for a flat node; as it was written, it is checked where it
    is drawn); `units` those of largest weight in the group's direction, with it; `strength` the
    group's share of all that the groups give."""

    map: Any
    units: tuple[tuple[int, float], ...] = ()
    strength: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "map": self.map,
            "units": [list(pair) for pair in self.units],
            "strength": self.strength,
        }


@dataclass(frozen=True, kw_only=True)
class NeuronGroupsResult(OnePicture):
    """The groups, strongest first; their pictures stand in one row of `columns`."""

    groups: tuple[GroupOfUnits, ...] = ()

    @property
    def grid(self) -> tuple[int, int]:
        return len(self.groups), 1

    def to_json(self) -> dict[str, Any]:
        return {
            "groups": [group.to_json() for group in self.groups],
            "columns": len(self.groups),
            **super().to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "NeuronGroupsResult":
        return cls(
            groups=tuple(
                GroupOfUnits(
                    map=group.get("map"),
                    units=tuple(units(group.get("units"), UNITS)),
                    strength=number(group.get("strength")),
                )
                for group in dicts(data.get("groups"))
            ),
            source=source(data.get("source")),
        )


LENS = Lens(
    words=WORDS,
    order=140,
    home=__package__,
    params=NeuronGroupsParams,
    result=NeuronGroupsResult,
    can=Can(on_pictures=True),
)
