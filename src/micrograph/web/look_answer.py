"""From a worker's answer about a picture to what a page shows, compared with a dataset."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from micrograph.atlas import Reading
from micrograph.web.lens_traits import EXAMPLES

UNITS = 8
"""Units that are named of each node."""


@dataclass(frozen=True)
class UnitOnPicture:
    """`map` is in 0..1 of `value`, the largest, which is at `position` (row-major). `quantile` is
    the share of the pictures of `dataset`, its name, on which the unit stays below `value`."""

    address: str
    value: float
    position: int
    map: list[list[float]]
    quantile: float | None
    dataset: str = ""


@dataclass(frozen=True)
class StrongUnit:
    """`strength` is `value` by the largest on a dataset, or the share of all there is in the
    node."""

    unit: int
    value: float
    strength: float


@dataclass(frozen=True)
class NodeOnPicture:
    """The strongest units of a node. `relative_to` says what strengths are parts of: "dataset", by
    its name `dataset`, or "node"."""

    node: str
    relative_to: str
    units: list[StrongUnit]
    dataset: str = ""


@dataclass(frozen=True)
class ClassOnPicture:
    """A class with its logit and share (softmax)."""

    cls: Annotated[int, Field(serialization_alias="class")]
    label: str
    value: float
    share: float


@dataclass(frozen=True)
class PictureSize:
    """As uploaded, upright, in pixels."""

    width: int
    height: int


def nodes(atlas: Reading, maxima: dict[str, list[float]]) -> list[NodeOnPicture]:
    """The strongest units of each node that the atlas has, in graph order."""
    return [
        _strongest(atlas, node, maxima[node])
        for node in atlas.nodes
        if node in maxima and atlas.nodes[node].units == len(maxima[node])
    ]


def unit(atlas: Reading, node: str, number: int, seen: dict[str, Any]) -> UnitOnPicture:
    """With the quantile, where a sweep over a dataset left the unit's profile."""
    dataset, profile = _sweep_arrays(atlas, node)
    quantile = None
    if profile and number < len(profile["profile"]):
        low, high = float(profile["low"][number]), float(profile["high"][number])
        values = low + profile["profile"][number].astype("float32") / 255 * (high - low)
        quantile = round(float((values < seen["value"]).mean()), 4)
    return UnitOnPicture(
        f"{atlas.model.id}/{node}/{number}",
        seen["value"],
        seen["position"],
        seen["map"],
        quantile,
        dataset,
    )


def _strongest(atlas: Reading, node: str, values: list[float]) -> NodeOnPicture:
    dataset, profile = _sweep_arrays(atlas, node)
    largest: list[float]
    if profile:
        largest = profile["high"].tolist()
    else:
        together = sum(v for v in values if v > 0)
        largest = [together] * len(values)
    strengths = [v / most if most > 0 else 0.0 for v, most in zip(values, largest, strict=True)]
    order = sorted(range(len(values)), key=lambda u: (-strengths[u], u))[:UNITS]
    return NodeOnPicture(
        node,
        "dataset" if profile else "node",
        [
            StrongUnit(u, float(f"{values[u]:.5g}"), float(f"{strengths[u]:.4g}"))
            for u in order
            if values[u] > 0
        ],
        dataset,
    )


def _sweep_arrays(atlas: Reading, node: str) -> tuple[str, dict[str, Any]]:
    """The name of the first dataset that was swept, and what that left of the node as a whole;
    nothing where none was."""
    units = atlas.nodes[node].units
    for row in atlas.visualizations(node, None, EXAMPLES):
        arrays = atlas.arrays(node, None, EXAMPLES, row.variant)
        if {"profile", "low", "high"} <= arrays.keys() and all(
            len(arrays[name]) == units for name in ("profile", "low", "high")
        ):
            return row.variant, arrays
    return "", {}
