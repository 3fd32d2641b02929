"""The page of a model: what it is, and its graph with pictures in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from micrograph.atlas import NodeRecord, Reading, Tile
from micrograph.web.graph import FULL, Box, Group, is_thin, layout, parts_of
from micrograph.web.pages.parts import (
    ModelRef,
    NodeFacts,
    Thumb,
    model_ref,
    node_facts,
    spread,
    thumb,
)
from micrograph.web.pages.start import node_tiles, pictured_units, unit_count
from micrograph.web.urls import Urls

PER_ROLE = {"wide": 8, "branch": 3}


@dataclass(frozen=True)
class GraphNode:
    """A node where the drawing has it (pixels), with pictures of a few of its units.

    `node` is None for the input, which is no page.
    """

    id: str
    label: str
    role: str
    x: float
    y: float
    width: int
    height: int
    node: NodeFacts | None
    pictured: int
    thumbs: list[Thumb]


@dataclass(frozen=True)
class GraphEdge:
    """From one node to the next; `path` is SVG path data."""

    source: str
    target: str
    path: str


@dataclass(frozen=True)
class Graph:
    """The drawing of a model, in pixels, top to bottom."""

    width: float
    height: float
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    groups: list[Group]


@dataclass(frozen=True)
class ModelPage:
    """`/models/<model>`."""

    kind: str
    title: str
    address: str
    model: ModelRef
    summary: str
    parameters: int
    labels: int
    preprocessing: Mapping[str, Any]
    paper: str
    paper_url: str
    licence: str
    lineage: str
    source: str
    units: int
    pictured: int
    graph: Graph


def model_page(atlas: Reading, urls: Urls) -> ModelPage:
    model = atlas.model
    pictured = pictured_units(atlas)
    portraits = {
        n.id: tiles for n in atlas.nodes.values() if (tiles := portrait(atlas, n, pictured))
    }
    plain = frozenset(atlas.nodes) - frozenset(portraits)
    drawing = layout(tuple(atlas.nodes.values()), FULL, plain)
    graph = Graph(
        drawing.width, drawing.height,
        [
            _graph_node(atlas, box, pictured.get(box.id, 0), portraits.get(box.id, []), urls)
            for box in drawing.boxes
        ],
        [GraphEdge(*edge) for edge in drawing.edges],
        list(drawing.groups),
    )
    safe_url = model.paper_url if model.paper_url.startswith(("https://", "http://")) else ""
    return ModelPage(
        "model", model.title, model.id, model_ref(model, urls), model.summary, model.parameters,
        len(model.labels), model.preprocessing, model.paper, safe_url, model.licence,
        model.lineage, model.source, unit_count(atlas), sum(pictured.values()), graph,
    )


def portrait(atlas: Reading, node: NodeRecord, pictured: Mapping[str, int]) -> list[Tile]:
    """The tiles that can stand for a node: its own, or its part of a concatenation's."""
    if is_thin(node):
        return []
    if pictured.get(node.id):
        return node_tiles(atlas, node.id)
    whole, first = parts_of(atlas.nodes).get(node.id, ("", 0))
    if not pictured.get(whole):
        return []
    return [
        replace(tile, unit=tile.unit - first) for tile in node_tiles(atlas, whole)
        if first <= tile.unit < first + node.units
    ]


def _graph_node(
    atlas: Reading, box: Box, pictured: int, tiles: list[Tile], urls: Urls
) -> GraphNode:
    id = atlas.model.id
    record = atlas.nodes.get(box.id)
    chosen = spread(tiles, PER_ROLE.get(box.role, 0)) if box.role in PER_ROLE else []
    return GraphNode(
        box.id, box.label, box.role, box.x, box.y, box.width, box.height,
        node_facts(id, record, urls) if record else None, pictured,
        [thumb(id, box.id, t.unit, t, urls) for t in chosen],
    )
