"""A graph that is too large for one drawing, in pieces that follow each other."""

from collections.abc import Sequence

from micrograph.atlas.records import NodeRecord

MOST_NODES = 1500
"""In one drawing: the largest networks that we know have a few hundred."""
MOST_LINES = 15_000
"""Nodes, at most, that all edges of a drawing pass by together, themselves included."""


def pieces(nodes: Sequence[NodeRecord]) -> list[range]:
    """Which of the nodes each drawing has: nearly always there is one, of all."""
    place = {node.id: k for k, node in enumerate(nodes)}
    found, first, lines = [], 0, 0
    for k, node in enumerate(nodes):
        above = [place[p] for p in node.parents if p in place]
        more = sum(k - p + 2 for p in above if p >= first)
        if k > first and (k - first >= MOST_NODES or lines + more > MOST_LINES):
            found.append(range(first, k))
            first, lines, more = k, 0, 0
        lines += more
    return [*found, range(first, len(nodes))]


def piece_with(nodes: Sequence[NodeRecord], id: str) -> tuple[NodeRecord, ...]:
    """The nodes of the drawing that a node is in, the first without it."""
    there = pieces(nodes)
    place = next((k for k, node in enumerate(nodes) if node.id == id), 0)
    piece = next(one for one in there if place in one or place < one.stop)
    return tuple(nodes[piece.start : piece.stop])
