"""Which nodes have units of their own to look at, told from their records."""

from collections.abc import Mapping

from micrograph.atlas.records import NodeRecord

THIN_KINDS = (
    "pool",
    "norm",
    "lrn",
    "relu",
    "dropout",
    "softmax",
    "flatten",
    "pad",
    "identity",
    "scale",
    "token",
)


def is_thin(node: NodeRecord) -> bool:
    """Whether a node only passes its input on in another form, so that it needs no pictures."""
    kind = node.kind.lower()
    return any(word in kind for word in THIN_KINDS)


def parts_of(nodes: Mapping[str, NodeRecord]) -> dict[str, tuple[str, int]]:
    """Which nodes are parts of a concatenation: node -> (concatenation, number of its first unit).

    A branch's unit u is the concatenation's unit `first + u`: the same numbers, the same pictures.
    """
    found: dict[str, tuple[str, int]] = {}
    for node in nodes.values():
        parents = [nodes[p] for p in node.parents if p in nodes]
        if len(parents) < 2 or sum(p.units for p in parents) != node.units:
            continue
        first = 0
        for parent in parents:
            found.setdefault(parent.id, (node.id, first))
            first += parent.units
    return found
