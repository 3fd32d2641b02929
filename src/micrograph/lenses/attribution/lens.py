"""Attribution: which units carried a unit's answer to a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Lens, Words
from micrograph.lenses.params import Params, option, pictures_option
from micrograph.lenses.result import Arrays, OnePicture, dicts, number, source, units

WORDS = Words(
    technique="attribution",
    title="Attribution",
    question="Which units caused its activation on this picture?",
    explanation=(
        "A unit's answer to one picture is divided among the units before it: how much less would "
        "it be if they had been silent?"
    ),
    reading="The longest bars carried the answer; bars to the left held it back.",
    caution="The contributions add up, but how they are divided is a choice of method.",
    options="--image chelsea",
)

PATH = 10
"""Points on the path."""
BOUND = 0.05
"""What contributions and baseline may miss of the target, as a share of it, or of what there is to
divide where that is more. A node that misses more gets another path."""
SHOWN = 16
"""Units that are kept of each node, those that matter most."""


@dataclass(frozen=True, kw_only=True)
class AttributionParams(Params, lens=WORDS.technique):
    """The options of attribution."""

    images: tuple[str, ...] = pictures_option()
    upstream: tuple[str, ...] = option(
        (), "nodes to ask", shown="those that everything passes through"
    )
    path: int = option(
        PATH, "points on the path; more where they do not suffice", unit="points", low=1, high=1000
    )


@dataclass(frozen=True, kw_only=True)
class NodeContribution:
    """What the units of a node contributed: those that mattered most, the sum over all, and the
    target at the start of the path, `baseline`.

    `start`: the path begins where the node gives nothing but zeros ("zero"), or what it gives on a
    plain picture of the same mean colour ("plain"). `points` are those on the path (0: not known).
    `missed` is what is left of the target without contributions and baseline.
    """

    node: str
    units: tuple[tuple[int, float], ...] = ()
    total: float = 0.0
    baseline: float = 0.0
    start: str = "zero"
    points: int = 0
    missed: float = 0.0

    def misses_too_much(self, target: float) -> bool:
        """Whether the contributions are not all there is, by more than `BOUND`."""
        return abs(self.missed) > BOUND * max(abs(target), abs(target - self.baseline))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "node": self.node,
            "units": [list(pair) for pair in self.units],
            "total": self.total,
            "baseline": self.baseline,
            "start": self.start,
            "points": self.points,
            "missed": self.missed,
        }

    @classmethod
    def from_json(cls, part: Mapping[str, Any], target: float) -> "NodeContribution":
        """What is stored of one node; results of the first revision do not say what they miss."""
        total, baseline = number(part.get("total")), number(part.get("baseline"))
        points = part.get("points")
        left = 0.0 if target != target else target - baseline - total
        return cls(
            node=str(part.get("node")),
            units=tuple(units(part.get("units"), SHOWN)),
            total=total,
            baseline=baseline,
            start="plain" if part.get("start") == "plain" else "zero",
            points=points if isinstance(points, int) and points > 0 else 0,
            missed=number(part.get("missed"), left),
        )


@dataclass(frozen=True, kw_only=True)
class AttributionResult(OnePicture):
    """A unit's value `target` (None where that cannot be read), before its ReLU, at `position`
    (row-major) of its map, and who carried it; `baseline` is the value that the nearest of `nodes`
    leaves. `map` are rows of contributions of the node `map_of` (as they were written: they are
    checked where they are drawn)."""

    target: float | None = None
    position: int = 0
    baseline: float = 0.0
    map: Any = ()
    map_of: str = ""
    nodes: tuple[NodeContribution, ...] = ()

    def to_json(self) -> dict[str, Any]:
        data = {
            "target": self.target,
            "position": self.position,
            "baseline": self.baseline,
            "map": list(self.map),
            "map_of": self.map_of,
            "nodes": [node.to_json() for node in self.nodes],
        }
        return data | (super().to_json() if self.source else {})

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "AttributionResult":
        given = data.get("target")
        position, map_of = data.get("position"), data.get("map_of")
        target = number(given, float("nan"))
        return cls(
            target=None if target != target else target,
            position=position if isinstance(position, int) else 0,
            baseline=number(data.get("baseline")),
            map=data.get("map"),
            map_of=map_of if isinstance(map_of, str) else "",
            nodes=tuple(
                NodeContribution.from_json(part, target) for part in dicts(data.get("nodes"))
            ),
            source=source(data.get("source")),
        )


LENS = Lens(
    words=WORDS,
    order=80,
    home=__package__,
    params=AttributionParams,
    result=AttributionResult,
)
