"""The plots of pages that belong to no lens."""

from collections.abc import Sequence

from markupsafe import Markup

from micrograph.parts.plots import depth
from micrograph.web.pages.model_state import NodeUnits

MOST_BARS = 1000
"""In a plot: more cannot be told apart."""


def depth_of(nodes: Sequence[NodeUnits]) -> Markup:
    """How many units each node has; of very many nodes the widest of each few that follow."""
    few = -(-len(nodes) // MOST_BARS) or 1
    widest = (max(nodes[k : k + few], key=lambda n: n.units) for k in range(0, len(nodes), few))
    return depth([(one.node, one.units) for one in widest])
