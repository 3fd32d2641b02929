"""Attribution: which units carried this one, on this picture?

Gradient times activation, integrated along a straight path to the activations that there are
(Sundararajan et al., "Axiomatic Attribution for Deep Networks", 2017; at inner nodes: Olah et al.,
"The Building Blocks of Interpretability", Distill 2018). `integrate.py` says which path.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.graph import Dag, NodeKind
from micrograph.lenses.attribution.integrate import Share, integrate
from micrograph.lenses.attribution.lens import (
    LENS,
    PATH,
    SHOWN,
    AttributionParams,
    AttributionResult,
    NodeContribution,
)
from micrograph.lenses.engines import common
from micrograph.lenses.engines.base import BatchEngine, Job, Rendered, Sample, StepHook
from micrograph.lenses.engines.source_pictures import SourcePicture, source_pictures
from micrograph.models.model import Model

FINE = 10
"""Positions along an axis that a map needs to be worth laying over the picture."""


@dataclass(frozen=True)
class Attributed:
    """A unit's value `target` at `position` (row-major) of its map, and what nodes contributed."""

    unit: int
    target: float
    position: int
    shares: tuple[Share, ...]


class AttributionEngine(BatchEngine[AttributionParams]):
    """The engine of attribution. Its variant is the picture's name."""

    lens = LENS
    revision = 2

    def plan(self, model: Model, params: AttributionParams) -> list[Job]:
        """One job for each picture. Raises NotFound for unknown nodes and pictures, BadInput for
        files that are no pictures."""
        asked = [model.node(name).id for name in params.upstream]
        made = {
            **common.dictionaries(model, asked),
            "upstream": asked,
            "path": params.path,
        }
        return [
            Job(self.recipe(model, picture.name, 0, source=picture.digest, **made), picture)
            for picture in source_pictures(params.images, model)
        ]

    def batch_size(self, model: Model, node: str, job: Job) -> int:
        asked = job.recipe["upstream"]
        return 0 if asked and not ancestors(model, node).intersection(asked) else 64

    def run(
        self,
        model: Model,
        node: str,
        units: Sequence[int],
        job: Job,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered | Sample]:
        """The score is the unit's strongest value on the picture, before its ReLU."""
        picture: SourcePicture = job.context
        started = time.perf_counter()
        place = model.node(node).id
        found = attribute(
            model,
            place,
            units,
            picture.tensor(model.device),
            [n for n in job.recipe["upstream"] if n in ancestors(model, place)] or None,
            job.recipe["path"],
            on_step,
        )
        seconds = (time.perf_counter() - started) / max(1, len(units))
        yield picture.sample
        for one in found:
            kept = replace(as_result(one), source=(picture.digest, 0))
            yield Rendered(place, one.unit, None, one.target, seconds, kept)


def attribute(
    model: Model,
    node: str,
    units: Sequence[int],
    picture: Tensor,
    upstream: Sequence[str] | None = None,
    path: int = PATH,
    on_step: StepHook | None = None,
) -> list[Attributed]:
    """What carried each of `units` of `node` on a `picture` [1, 3, y, x], at its strongest place.

    `upstream` are the nodes that share it, by default `dominators_of`. Values are those before the
    node's ReLU, so that a unit that is silent has reasons too.
    """
    chosen = dominators_of(model, node) if upstream is None else list(upstream)
    plain = picture.mean((2, 3), keepdim=True).expand_as(picture)
    with torch.no_grad():
        given = model.run(picture, chosen) if chosen else {}
        starts = model.run(plain, chosen) if chosen else {}
        target = model.run(picture, [node], pre_relu=True)[node].float()
    maps = target[0].flatten(1) if target.ndim > 2 else target[0][:, None]
    if max(units, default=0) >= len(maps):
        raise BadInput(f"unit {max(units)} is out of range; {node} has units 0-{len(maps) - 1}")
    positions = {unit: int(maps[unit].argmax()) for unit in units}
    targets = {unit: maps[unit, at].item() for unit, at in positions.items()}
    shares: dict[int, list[Share]] = {unit: [] for unit in units}
    for number, source in enumerate(chosen):
        ways = {"zero": torch.zeros_like(given[source]), "plain": starts[source]}
        found = integrate(
            model, picture, source, given[source], ways, node, positions, targets, path
        )
        for unit, share in found.items():
            shares[unit].append(share)
        if on_step:
            on_step(number + 1, len(chosen))
    return [
        Attributed(unit, targets[unit], at, tuple(shares[unit])) for unit, at in positions.items()
    ]


def ancestors(model: Model, node: str) -> set[str]:
    """All nodes upstream of `node`, with those of dictionaries over them."""
    found = set(Dag.of(model.nodes.values()).ancestors(model.node(node).id))
    over = {n.id for n in model.nodes.values() if model.attached(n.id) and n.parents[0] in found}
    return (found | over) - {model.node(node).id}


def dominators_of(model: Model, node: str) -> list[str]:
    """The dominators of `node` (every path from the picture to it passes them), in graph order,
    without those that only pass on (pools, norms) or stand before their own activation.

    Their contributions are all there is: nothing goes past them.
    """
    dominators = Dag.of(model.nodes.values()).dominators(model.node(node).id)
    nodes = [model.nodes[name] for name in dominators]
    nodes = [n for n in nodes if not NodeKind.of(n.kind).is_rearrangement or n is nodes[-1]]
    return [
        n.id
        for n, after in pairwise(nodes)
        # What is followed by its own activation has the same units, unfinished.
        if not NodeKind.of(after.kind).is_activation or after.units != n.units
    ]


def as_result(found: Attributed) -> AttributionResult:
    """An attribution as it is stored, without the picture."""
    fine = [s for s in found.shares if s.values.ndim == 3 and min(s.values.shape[1:]) >= FINE]
    flat = [s for s in found.shares if s.values.ndim == 3]
    mapped = (fine or flat)[-1:]
    return AttributionResult(
        target=_short(found.target),
        position=found.position,
        baseline=_short(found.shares[-1].baseline) if found.shares else _short(found.target),
        map=_grid(mapped[0].values) if mapped else [],
        map_of=mapped[0].node if mapped else "",
        nodes=tuple(
            NodeContribution(
                node=share.node,
                units=_strongest(share.units),
                total=_short(share.units.sum().item()),
                baseline=_short(share.baseline),
                start=share.start,
                points=share.points,
                missed=_short(share.missed(found.target)),
            )
            for share in reversed(found.shares)
        ),
    )


def _strongest(units: Tensor) -> tuple[tuple[int, float], ...]:
    order = units.abs().argsort(descending=True, stable=True)[:SHOWN].tolist()
    return tuple((unit, _short(units[unit].item())) for unit in order if units[unit] != 0)


def _grid(values: Tensor) -> list[list[float]]:
    return [[_short(v) for v in row] for row in values.sum(0).tolist()]


def _short(value: float) -> float:
    return float(f"{value:.5g}")


ENGINE = AttributionEngine()
