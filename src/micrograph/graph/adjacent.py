"""The nodes next before a node, and next behind it, among those that are worth looking at."""

from collections.abc import Collection, Mapping

from micrograph.graph.dag import Dag
from micrograph.graph.joins import parts_of
from micrograph.graph.nodes import PlainNode


def next_before(nodes: Mapping[str, PlainNode], node: str, among: Collection[str]) -> list[str]:
    """The nodes of `among` that the units of `node` are built from, the nearest first.

    From each of them a path leads to `node` that passes no other one. A part of a concatenation
    stands in for it where the concatenation itself is among them: its units are the same.
    """
    return _next(nodes, node, among, up=True)


def last_before(nodes: Mapping[str, PlainNode], node: str, among: Collection[str]) -> str | None:
    """The last node of `among` that every path to `node` passes: what all of its units are built
    from, as the block before is for a block of branches. None if there is none."""
    parts = {part for part, (whole, _) in parts_of(nodes).items() if whole == node}
    passed = Dag.of(nodes.values()).dominators(node)[:-1]
    return next((name for name in reversed(passed) if name in among and name not in parts), None)


def next_behind(nodes: Mapping[str, PlainNode], node: str, among: Collection[str]) -> list[str]:
    """The nodes of `among` that the units of `node` go into, the nearest first."""
    return _next(nodes, node, among, up=False)


def _next(
    nodes: Mapping[str, PlainNode], node: str, among: Collection[str], *, up: bool
) -> list[str]:
    dag = Dag.of(nodes.values())
    edges = dag.parents if up else dag.children
    own = {part for part, (whole, _) in parts_of(nodes).items() if whole == node}
    same = {whole for part, (whole, _) in parts_of(nodes).items() if part == node}
    found: set[str] = set()
    seen: set[str] = set()
    todo = list(edges.get(node, ()))
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in among and name not in own | same:
            found.add(name)
        else:
            todo += edges[name]
    return sorted(found, key=lambda name: dag.position[name], reverse=up)
