"""The plots of pages that belong to no lens."""

from collections.abc import Sequence

from markupsafe import Markup

from micrograph.parts.plots import depth
from micrograph.web.pages.model_state import NodeUnits


def depth_of(nodes: Sequence[NodeUnits]) -> Markup:
    """How many units each node has."""
    return depth([(one.node, one.units) for one in nodes])
