"""The drawing on a model's page: its graph, repeated blocks folded, with pictures in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from micrograph.atlas import Reading, Tile
from micrograph.atlas.concatenations import concatenations
from micrograph.atlas.remembered import Remembered
from micrograph.errors import BadInput, short
from micrograph.graph import is_drawn_small
from micrograph.parts.parts import (
    Choice,
    Image,
    NodeFacts,
    Switch,
    Thumb,
    node_facts,
    spread,
    thumb,
)
from micrograph.parts.urls import Urls
from micrograph.web.column import FULL, PICTURED, BlockFrame, NodeBox
from micrograph.web.folding import ALL, Fold, fold
from micrograph.web.graph import layout
from micrograph.web.lens_traits import MAP
from micrograph.web.pages.model_view import UNITS, ModelView
from micrograph.web.pages.pictured import node_tiles

PER_ROLE = {"wide": 8, "branch": 3}


@dataclass(frozen=True, kw_only=True)
class GraphFold:
    """A block that is like one before it, `like`: `inside` is how many of its nodes the drawing
    leaves out while it is `folded`; `url` is the same page with it open, or folded again."""

    block: str
    like: str
    inside: int
    folded: bool
    url: str


@dataclass(frozen=True, kw_only=True)
class GraphNode:
    """A node where the drawing has it (pixels), with pictures of a few of its units, or the one
    `picture` that a lens of nodes gave of it.

    `node` is None for the input, which is no page. `fold` is set for the last node of a block that
    can be folded.
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
    fold: GraphFold | None


@dataclass(frozen=True, kw_only=True)
class GraphEdge:
    """From one node to the next; `path` is SVG path data."""

    source: str
    target: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The drawing of a model, in pixels, top to bottom."""

    width: float
    height: float
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    groups: list[BlockFrame]


def graph_of(
    atlas: Reading,
    view: ModelView,
    open: str,
    pictured: Mapping[str, int],
    wholes: Mapping[str, Image],
    urls: Urls,
) -> tuple[Graph, list[Switch]]:
    """The drawing, and the switch of its repeated blocks if it has any. `open` is the one block to
    draw whole, or "all"; `wholes` are pictures of nodes, `pictured` how many units have one.

    Raises BadInput for a block that is not there.
    """
    portraits = portraits_of(atlas, pictured) if view.lens in (UNITS, MAP) else {}
    plain = frozenset(atlas.nodes) - frozenset(portraits) - frozenset(wholes)
    folded = fold(tuple(atlas.nodes.values()), open)
    if open and open not in (ALL, *folded.names):
        raise BadInput(
            f"open={short(open)} is no repeated block; expected {_block_names(folded.names)}"
        )
    drawing = layout(
        folded.nodes, FULL if view.lens in (UNITS, MAP) else PICTURED, plain, folded.labels
    )

    def url(block: str | None, node: str) -> str:
        return urls.model(atlas.model.id, **view.query(), open=block) + f"#n-{quote(node)}"

    nodes = [
        _graph_node(
            atlas,
            box,
            pictured.get(box.id, 0),
            portraits.get(box.id, {}),
            wholes.get(box.id),
            _graph_fold(folded.folds.get(box.id), box.id, url),
            urls,
        )
        for box in drawing.boxes
    ]
    graph = Graph(
        width=drawing.width,
        height=drawing.height,
        nodes=nodes,
        edges=[GraphEdge(source=a, target=b, path=path) for a, b, path in drawing.edges],
        groups=list(drawing.groups),
    )
    return graph, _switch(atlas, folded.names, open, view, urls)


Portrait = Mapping[int, list[Tile]]
"""The tiles that stand for a node, where there is room for so many."""
_PORTRAITS: Remembered[dict[str, Portrait]] = Remembered(
    12_000, lambda found: 1 + sum(len(tiles) for one in found.values() for tiles in one.values())
)


def portraits_of(atlas: Reading, pictured: Mapping[str, int]) -> dict[str, Portrait]:
    """What can stand for a node: tiles of its own, or of its part of a concatenation."""
    return _PORTRAITS.get(atlas, "", lambda: _read_portraits(atlas, pictured))


def _read_portraits(atlas: Reading, pictured: Mapping[str, int]) -> dict[str, Portrait]:
    own = {id: node_tiles(atlas, id) for id, n in atlas.nodes.items() if pictured.get(id)}
    parts = concatenations(atlas)
    found: dict[str, Portrait] = {}
    for node in atlas.nodes.values():
        whole, first = parts.get(node.id, ("", 0))
        tiles = own.get(node.id) or [
            replace(tile, unit=tile.unit - first)
            for tile in own.get(whole, ())
            if first <= tile.unit < first + node.units
        ]
        if tiles and not is_drawn_small(node):
            found[node.id] = {count: spread(tiles, count) for count in PER_ROLE.values()}
    return found


def _graph_node(
    atlas: Reading,
    box: NodeBox,
    pictured: int,
    portrait: Portrait,
    whole: Image | None,
    fold: GraphFold | None,
    urls: Urls,
) -> GraphNode:
    id = atlas.model.id
    record = atlas.nodes.get(box.id)
    chosen = portrait.get(PER_ROLE.get(box.role, 0), [])
    return GraphNode(
        id=box.id,
        label=box.label,
        role=box.role,
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        node=node_facts(atlas.model, record, urls) if record else None,
        pictured=pictured,
        thumbs=[thumb(id, box.id, t.unit, t, urls) for t in chosen],
        picture=whole,
        fold=fold,
    )


def _graph_fold(
    fold: Fold | None, node: str, url: Callable[[str | None, str], str]
) -> GraphFold | None:
    if fold is None:
        return None
    return GraphFold(
        block=fold.block,
        like=fold.like,
        inside=len(fold.inside),
        folded=fold.folded,
        url=url(fold.block if fold.folded else None, node),
    )


def _switch(
    atlas: Reading, names: Sequence[str], open: str, view: ModelView, urls: Urls
) -> list[Switch]:
    """Repeated blocks folded, or all nodes; none where nothing repeats."""
    if not names or view.lens == MAP:
        return []
    texts = {"": "Repeated ones folded", ALL: f"All {len(atlas.nodes)} nodes"}
    return [
        Switch(
            "open",
            "Blocks",
            [
                Choice(
                    value,
                    text,
                    urls.model(atlas.model.id, **view.query(), open=value or None),
                    value == open,
                )
                for value, text in texts.items()
            ],
        )
    ]


def _block_names(names: Sequence[str]) -> str:
    return " or ".join([ALL, *names[:8]]) if names else "none: no block is repeated"
