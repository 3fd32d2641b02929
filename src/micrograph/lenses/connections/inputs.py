"""What the units of a node are built from, by weight or by weight x activation."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from micrograph.atlas.reading import Reading
from micrograph.atlas.remembered import Remembered
from micrograph.errors import MicrographError
from micrograph.lenses.connections.lens import LENS, ConnectionsResult
from micrograph.lenses.connections.stored import (
    StoredConnection,
    connections_of,
    kernels_of,
    stored_connections,
)
from micrograph.lenses.dataset_examples.lens import LENS as EXAMPLES
from micrograph.lenses.dataset_examples.typical import Typical, typical_activations

ORDERS = ("weight", "activation")
"""What inputs can be ordered by: the sum of their absolute weights, or that times their typical
activation."""
MOST_SOURCES = 1 << 16

_TYPICAL: Remembered[Typical] = Remembered(200_000, lambda found: len(found.units) + 1)
"""Typical activations of nodes, for which the results of all their units have to be read."""


@dataclass(frozen=True)
class NodeInputs:
    """The inputs of a node's units among the `count` units of `other`, or the `reason` why there
    are none. `of(unit)` are the stored ones, of which `complete` says that they are all; None where
    the unit has no row. With a `dataset` sizes are weights times the mean activation on it."""

    other: str
    count: int
    reason: str
    notes: tuple[str, ...]
    of: Callable[[int], list[StoredConnection] | None]
    complete: bool = False
    dataset: str = ""


@dataclass(frozen=True)
class LackingOrder:
    """Why inputs cannot be ordered as asked for; a lens, a variant of it and a node to get it."""

    why: str
    technique: str
    node: str
    variant: str = ""


def listed_inputs(atlas: Reading, node: str) -> NodeInputs | None:
    """The strongest by weight; None where none are stored."""
    result = stored_connections(atlas, node, "inputs")
    if result is None:
        return None
    return NodeInputs(
        result.other,
        result.count,
        result.reason,
        result.notes,
        lambda unit: connections_of(result, unit),
    )


def all_inputs(atlas: Reading, node: str, typical: Typical | None = None) -> NodeInputs | None:
    """Of all pairs, with their shares of weights, or of weights times activations if given; None
    where they are not stored."""
    result = stored_connections(atlas, node, "pairs")
    if result is None:
        return None
    return NodeInputs(
        result.other,
        result.count,
        result.reason,
        result.notes,
        lambda unit: _all_of(result, unit, typical),
        complete=True,
        dataset=typical.dataset if typical else "",
    )


def lacking_pairs(atlas: Reading, node: str) -> LackingOrder | None:
    """What is not there to know all inputs of a node's units; None where they are stored."""
    pairs = stored_connections(atlas, node, "pairs")
    if pairs is None:
        why = f"the sizes of all weights into {node} are not stored"
        return LackingOrder(why, LENS.name, node, "pairs")
    return LackingOrder(pairs.reason, "", node) if pairs.reason else None


def lacking_order(atlas: Reading, node: str) -> LackingOrder | None:
    """What is not there to order a node's inputs by activation; None where all is. Reads no more
    than what is stored of nodes as a whole."""
    lacking, pairs = lacking_pairs(atlas, node), stored_connections(atlas, node, "pairs")
    if lacking is not None or pairs is None:
        return lacking
    units = atlas.nodes[pairs.other].units if pairs.other in atlas.nodes else 0
    swept = (
        count.units
        for count in atlas.counts()
        if (count.node, count.technique) == (pairs.other, EXAMPLES.name)
    )
    if max(swept, default=0) < units:
        why = f"no sweep over a dataset tells the typical activations of {pairs.other}"
        return LackingOrder(why, EXAMPLES.name, pairs.other)
    return None


def inputs_by_activation(atlas: Reading, node: str) -> NodeInputs | LackingOrder:
    """The inputs of a node's units by weight x typical activation, or why not."""
    lacking, pairs = lacking_order(atlas, node), stored_connections(atlas, node, "pairs")
    if lacking is not None or pairs is None:
        return lacking or LackingOrder(f"{node} was taken out meanwhile", LENS.name, node, "pairs")
    other = atlas.nodes[pairs.other]
    try:
        typical = _TYPICAL.get(
            atlas, other.id, lambda: typical_activations(atlas, other.id, other.units)
        )
    except MicrographError as error:
        return LackingOrder(str(error), EXAMPLES.name, other.id)
    found = all_inputs(atlas, node, typical)
    assert found is not None
    return found


def _all_of(
    result: ConnectionsResult, unit: int, typical: Typical | None
) -> list[StoredConnection] | None:
    strength, size = result.row("strength", unit), result.row("size", unit)
    if result.reason or strength is None or size is None:
        return None
    if not strength.ndim == size.ndim == 1 or not 0 < len(strength) == len(size) <= MOST_SOURCES:
        return None
    strengths = (strength.astype(float) * result.scale).tolist()
    sizes = (size.astype(float) * result.scale).tolist()
    if not all(map(isfinite, strengths)) or not all(isfinite(one) and one >= 0 for one in sizes):
        return None
    levels = None if typical is None else [typical.units.get(u, 0.0) for u in range(len(sizes))]
    if levels is not None:
        sizes = [one * abs(level) for one, level in zip(sizes, levels, strict=True)]
    total = sum(sizes) or 1.0
    kernels = kernels_of(result, unit)
    return [
        StoredConnection(
            source,
            strengths[source],
            sizes[source] / total,
            kernels.get(source, []),
            None if levels is None else levels[source],
        )
        for source in sorted(range(len(sizes)), key=lambda source: -sizes[source])
    ]
