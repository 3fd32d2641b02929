"""Nodes that put together several others: as their sum or product, or one behind the other."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from micrograph.graph.kinds import NodeKind
from micrograph.graph.nodes import PlainNode


class Join(StrEnum):
    """How a node shows the units of all its parents."""

    CAT = "cat"
    """A concatenation has the units of its parents one behind the other, in their order."""
    ADD = "add"
    """Unit u of a sum is the sum of all units u."""
    MUL = "mul"
    """Unit u of a product is the product of all units u."""


def join_of(node: PlainNode, nodes: Mapping[str, PlainNode]) -> Join | None:
    """How `node` joins those of its parents that are known; None if it makes units of its own."""
    units = [nodes[p].units for p in node.parents if p in nodes]
    if len(units) < 2:
        return None
    if node.units == sum(units):
        return Join.CAT
    kind = NodeKind.of(node.kind)
    if any(count != node.units for count in units):
        return None
    if kind.may_multiply:
        return Join.MUL
    return Join.ADD if kind.may_add else None


def parts_of(nodes: Mapping[str, PlainNode]) -> dict[str, tuple[str, int]]:
    """Which nodes are parts of a concatenation: node -> (concatenation, number of its first unit).

    A branch's unit u is the concatenation's unit `first + u`: the same numbers, the same pictures.
    """
    found: dict[str, tuple[str, int]] = {}
    for node in nodes.values():
        if join_of(node, nodes) is Join.CAT:
            for part, first in _offsets(nodes[p] for p in node.parents if p in nodes):
                found.setdefault(part, (node.id, first))
    return found


def _offsets(parts: Iterable[PlainNode]) -> Iterable[tuple[str, int]]:
    first = 0
    for part in parts:
        yield part.id, first
        first += part.units
