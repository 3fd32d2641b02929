"""Attribution: which units carried a unit's answer to a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.pages.base import Lens, Plugin, Scene, dicts, number, pairs
from micrograph.lenses.pages.maps import Heat, heat
from micrograph.lenses.pages.source import Source, source_of
from micrograph.parts.parts import Thumb

LENS = Lens(
    technique="attribution",
    title="Attribution",
    question="What carried it in this picture?",
    explanation=(
        "A unit's answer to one picture is divided among the units before it: how much less would "
        "it be if they had been silent?"
    ),
    reading="The longest bars carried the answer; bars to the left held it back.",
    caution="The parts add up, but which path was taken in adding is a choice.",
    options="--image <picture>",
)
MOST = 8


@dataclass(frozen=True)
class Carrier:
    """A unit and what it contributed; `share` is that of the largest contribution shown, -1..1."""

    thumb: Thumb
    value: float
    share: float


@dataclass(frozen=True)
class NodeShare:
    """The units of one node that contributed most, and the sum over all its units."""

    node: str
    total: float
    units: list[Carrier]


@dataclass(frozen=True)
class OnePicture:
    """One picture: the unit's activation on it, what it is on the baseline, and who made it so."""

    name: str
    source: Source | None
    target: float
    baseline: float
    heat: Heat
    nodes: list[NodeShare]


@dataclass(frozen=True)
class Attribution:
    """One entry per picture."""

    technique: str
    form: str
    pictures: list[OnePicture]


def section(scene: Scene) -> Attribution | None:
    found = [
        OnePicture(
            v.variant.replace("-", " "),
            source_of(scene, v),
            number(v.data.get("target"), v.score),
            number(v.data.get("baseline")),
            heat(v.data.get("map"), signed=True),
            shares(scene, v.data),
        )
        for v in scene.of(LENS.technique)
    ]
    return Attribution(LENS.technique, "attribution", found) if found else None


def shares(scene: Scene, data: Mapping[str, Any]) -> list[NodeShare]:
    """The contributions by node; bars are on one scale over all nodes."""
    given = [
        (
            str(part.get("node")),
            number(part.get("total")),
            [
                (unit, number(value))
                for unit, value, *_ in pairs(part.get("units"))
                if isinstance(unit, int)
            ][:MOST],
        )
        for part in dicts(data.get("nodes"))
    ]
    most = max((abs(v) for _, _, units in given for _, v in units), default=0.0) or 1.0
    found = []
    for node, total, units in given:
        there = [(scene.thumb(node, unit), value) for unit, value in units]
        carriers = [Carrier(t, value, value / most) for t, value in there if t]
        if carriers:
            found.append(NodeShare(node, total, carriers))
    return found


PLUGIN = Plugin(LENS, section)
