"""Attribution as a part of a unit's page."""

from collections.abc import Sequence
from dataclasses import dataclass

from micrograph.lenses.attribution.lens import LENS, AttributionResult, NodeContribution
from micrograph.lenses.pages.maps import Heat, heat
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.scene import Scene
from micrograph.lenses.pages.source import Source, source_of
from micrograph.parts.parts import Thumb

MOST = 8


@dataclass(frozen=True)
class Carrier:
    """A unit and what it contributed; `share` is that of the largest contribution shown, -1..1."""

    thumb: Thumb
    value: float
    share: float


@dataclass(frozen=True)
class NodeShare:
    """The units of one node that contributed most, and the sum over all its units. `start` says
    where the path begins; `missed` is what contributions and baseline lack of the target, where
    that is too much to be passed over, else 0."""

    node: str
    total: float
    units: list[Carrier]
    start: str
    missed: float


@dataclass(frozen=True)
class AttributedPicture:
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
    pictures: list[AttributedPicture]


def section(scene: Scene) -> Attribution | None:
    found = [
        AttributedPicture(
            v.variant.replace("-", " "),
            source_of(scene, v, result.source),
            v.score if result.target is None else result.target,
            result.baseline,
            heat(result.map, signed=True),
            shares(scene, result.nodes, v.score if result.target is None else result.target),
        )
        for v, result in scene.results(LENS.name, AttributionResult)
    ]
    return Attribution(LENS.name, "attribution", found) if found else None


def shares(scene: Scene, given: Sequence[NodeContribution], target: float) -> list[NodeShare]:
    """The contributions by node; bars are on one scale over all nodes."""
    shown = [(node, node.units[:MOST]) for node in given]
    most = max((abs(v) for _, units in shown for _, v in units), default=0.0) or 1.0
    found = []
    for node, units in shown:
        there = [(scene.thumb(node.node, unit), value) for unit, value in units]
        carriers = [Carrier(t, value, value / most) for t, value in there if t]
        if carriers:
            missed = node.missed if node.misses_too_much(target) else 0.0
            found.append(NodeShare(node.node, node.total, carriers, node.start, missed))
    return found


PAGE = LensPage(part=Attribution, section=section)
