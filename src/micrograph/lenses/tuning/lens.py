"""Synthetic tuning: how a unit answers to families of drawn stimuli."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Params, option
from micrograph.lenses.result import Arrays, Result, dicts, number, texts

if TYPE_CHECKING:
    import numpy as np

WORDS = Words(
    technique="tuning",
    title="Synthetic tuning",
    question="What does it prefer among drawn stimuli?",
    explanation=(
        "Curves, gratings, edges, colours and more are drawn with exactly known parameters, and "
        "the unit's answer in the middle of its map is read off."
    ),
    reading=(
        "A sharp peak means that the unit is selective for this parameter, a flat line that it is "
        "not. The dashed line is its answer to plain grey."
    ),
    caution="A unit for something else prefers some stimulus here, too: compare the heights.",
    score="largest activation",
)
FAMILIES = (
    "curves",
    "curve_edges",
    "corners",
    "edges",
    "gratings",
    "checkerboard",
    "high_low",
    "rings",
    "size_position",
    "hue",
    "colour_contrast",
)
"""Those of `micrograph.stimuli`, named here because drawing needs numpy, which pages do not."""
MOST_AXES = 4
MOST_STIMULI = 20_000


@dataclass(frozen=True, kw_only=True)
class TuningParams(Params, lens=WORDS.technique):
    """The options of synthetic tuning."""

    variants: tuple[str, ...] = option(
        FAMILIES, "families of stimuli", choices=FAMILIES, flag="--variant"
    )


@dataclass(frozen=True)
class ResponseAxis:
    """One parameter of the stimuli and the values it takes, numbers or words. `period` is where a
    circular one begins again."""

    name: str
    title: str
    unit: str
    values: list[float | str]
    circular: bool
    period: float

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class TuningResult(Result):
    """A node's answers to one family.

    `responses` [unit, ...] has one axis for each of `axes`, `baseline` [unit] the answers to plain
    grey; both after the activation, at `position` (row-major) of the map. `dataset` is the digest
    of the stimuli, whose numbers run over the axes, the last one fastest.
    """

    family: str
    title: str
    dataset: str
    axes: tuple[ResponseAxis, ...]
    position: int = 0
    responses: "np.ndarray | None" = None
    baseline: "np.ndarray | None" = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Values along each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def to_json(self) -> dict[str, Any]:
        return {
            "family": self.family,
            "title": self.title,
            "dataset": self.dataset,
            "axes": [axis.to_json() for axis in self.axes],
            "baseline_of": "grey",
            "position": self.position,
        }

    def arrays(self) -> Arrays:
        kept = {"responses": self.responses, "baseline": self.baseline}
        return {name: values for name, values in kept.items() if values is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "TuningResult":
        axes = _axes(data.get("axes"))
        position = data.get("position")
        return cls(
            family=texts(data, "family"),
            title=texts(data, "title"),
            dataset=texts(data, "dataset"),
            axes=axes,
            position=position if isinstance(position, int) else 0,
            responses=arrays.get("responses") if axes else None,
            baseline=arrays.get("baseline") if axes else None,
        )


def _axes(given: Any) -> tuple[ResponseAxis, ...]:
    """The axes that a family's data names; () where they make no sense."""
    found = []
    for about in dicts(given):
        values = about.get("values")
        if not isinstance(values, list) or not values:
            return ()
        found.append(
            ResponseAxis(
                texts(about, "name"),
                texts(about, "title") or texts(about, "name"),
                texts(about, "unit"),
                [x[:40] if isinstance(x, str) else number(x) for x in values],
                bool(about.get("circular")),
                number(about.get("period"), 360),
            )
        )
    few = math.prod(len(axis.values) for axis in found) < MOST_STIMULI
    return tuple(found) if len(found) <= MOST_AXES and few else ()


LENS = Lens(
    words=WORDS,
    order=60,
    home=__package__,
    about="node",
    params=TuningParams,
    result=TuningResult,
    can=Can(whole_node=True, variant_title="Family"),
)
