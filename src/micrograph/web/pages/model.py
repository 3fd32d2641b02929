"""The page of a model: what it is, and its graph with pictures in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from micrograph.atlas import Reading, Tile
from micrograph.lineage import Family, family_of
from micrograph.web.graph import FULL, PICTURED, Box, Group, is_thin, layout, parts_of
from micrograph.web.known import Known
from micrograph.web.pages.model_view import MAP, UNITS, ModelView, whole_pictures
from micrograph.web.pages.parts import (
    Choice,
    Image,
    LookState,
    ModelRef,
    NodeFacts,
    Switch,
    Thumb,
    model_ref,
    node_facts,
    spread,
    thumb,
)
from micrograph.web.pages.start import node_tiles, pictured_units, unit_count
from micrograph.web.unit_map import UnitMap, unit_map
from micrograph.web.urls import Urls

PER_ROLE = {"wide": 8, "branch": 3}


@dataclass(frozen=True)
class GraphNode:
    """A node where the drawing has it (pixels), with pictures of a few of its units, or the one
    `picture` that a lens of nodes gave of it.

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
    picture: Image | None


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
    """`/models/<model>`. `lens` says what stands in the graph's nodes; `source` and the other texts
    say where the model comes from. `source_picture` is the picture the lens looked at; `map` stands
    in the graph's place for the lens "unit_map". `techniques` are the lenses with anything to show.
    `family` says which of several networks of one name this is; `others` lead to comparisons;
    `state` says whether it can be run here.
    """

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
    lens: str
    picture: str
    source_picture: Image | None
    switches: list[Switch]
    techniques: list[str]
    graph: Graph
    map: UnitMap | None
    look: LookState
    family: Family | None
    others: list[Choice]
    state: Known


def model_page(
    atlas: Reading, urls: Urls, look: LookState, lens: str = "units", picture: str = "",
    others: Sequence[str] = (), state: Known | None = None,
) -> ModelPage:
    """`others` are models that this one can be compared with; `state` is what is known of it.

    Raises BadInput for a lens or picture that the model does not have."""
    model = atlas.model
    view = ModelView.of(atlas, lens, picture, urls)
    pictured = pictured_units(atlas)
    wholes, source = whole_pictures(atlas, view, urls)
    portraits = portraits_of(atlas, pictured) if view.lens in (UNITS, MAP) else {}
    shown = frozenset(portraits) | frozenset(wholes)
    plain = frozenset(atlas.nodes) - shown
    sizes = FULL if view.lens in (UNITS, MAP) else PICTURED
    drawing = layout(tuple(atlas.nodes.values()), sizes, plain)
    graph = Graph(
        drawing.width, drawing.height,
        [
            _graph_node(atlas, box, pictured.get(box.id, 0), portraits.get(box.id, []),
                        wholes.get(box.id), urls)
            for box in drawing.boxes
        ],
        [GraphEdge(*edge) for edge in drawing.edges],
        list(drawing.groups),
    )
    safe_url = model.paper_url if model.paper_url.startswith(("https://", "http://")) else ""
    return ModelPage(
        "model", model.title, model.id, model_ref(model, urls), model.summary, model.parameters,
        len(model.labels), model.preprocessing, model.paper, safe_url, model.licence,
        model.lineage, model.source, unit_count(atlas), sum(pictured.values()), view.lens,
        view.picture, source, view.switches, view.techniques, graph,
        unit_map(atlas, urls) if view.lens == MAP else None, look, family_of(model.id),
        [Choice(id, id, urls.compare(model.id, id), False) for id in others if id != model.id],
        state or Known(),
    )


def portraits_of(atlas: Reading, pictured: Mapping[str, int]) -> dict[str, list[Tile]]:
    """The tiles that can stand for a node: its own, or its part of a concatenation's."""
    own = {id: node_tiles(atlas, id) for id, n in atlas.nodes.items() if pictured.get(id)}
    parts = parts_of(atlas.nodes)
    found = {}
    for node in atlas.nodes.values():
        whole, first = parts.get(node.id, ("", 0))
        tiles = own.get(node.id) or [
            replace(tile, unit=tile.unit - first) for tile in own.get(whole, ())
            if first <= tile.unit < first + node.units
        ]
        if tiles and not is_thin(node):
            found[node.id] = tiles
    return found


def _graph_node(
    atlas: Reading, box: Box, pictured: int, tiles: list[Tile], whole: Image | None, urls: Urls
) -> GraphNode:
    id = atlas.model.id
    record = atlas.nodes.get(box.id)
    chosen = spread(tiles, PER_ROLE.get(box.role, 0)) if box.role in PER_ROLE else []
    return GraphNode(
        box.id, box.label, box.role, box.x, box.y, box.width, box.height,
        node_facts(id, record, urls) if record else None, pictured,
        [thumb(id, box.id, t.unit, t, urls) for t in chosen], whole,
    )
