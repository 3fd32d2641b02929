"""Two models side by side: what they are, and what they see at the same depth."""

from collections.abc import Sequence
from dataclasses import dataclass

from micrograph.atlas import Library, NodeRecord, Reading
from micrograph.web.graph import is_thin, parts_of
from micrograph.web.matches import matches, shared_dataset
from micrograph.web.pages.parts import (
    Choice,
    ModelRef,
    NodeFacts,
    Switch,
    Thumb,
    model_ref,
    node_facts,
    spread,
    thumb,
)
from micrograph.web.pages.start import along_depth, node_tiles, pictured_units, unit_count
from micrograph.web.places import find_model
from micrograph.web.urls import Urls

ROWS = 10
THUMBS = 8
PAIRS = 6


@dataclass(frozen=True)
class Compared:
    """One of the two models in numbers. `nodes` and `units` count what can be pictured."""

    model: ModelRef
    summary: str
    parameters: int
    input: int
    classes: int
    nodes: int
    units: int
    lineage: str


@dataclass(frozen=True)
class Side:
    """A node at the row's depth, with some of its units; units as in the pictures of the node."""

    node: NodeFacts
    thumbs: list[Thumb]


@dataclass(frozen=True)
class Pair:
    """Two units that fire on the same pictures, each the other's best among the row's two nodes;
    `value` is the correlation."""

    here: Thumb
    there: Thumb
    value: float


@dataclass(frozen=True)
class Row:
    """Nodes at the same share of the way from input (0) to output (1)."""

    depth: float
    here: Side
    there: Side
    pairs: list[Pair]


@dataclass(frozen=True)
class ComparePage:
    """`/compare?here=<model>&there=<model>`. `dataset` is the title of the pictures on which pairs
    were found, "" where the two models looked at no common ones. `switches` choose the models."""

    kind: str
    title: str
    here: Compared
    there: Compared
    dataset: str
    rows: list[Row]
    switches: list[Switch]


def compare_page(library: Library, urls: Urls, here: str, there: str) -> ComparePage:
    """Raises NotFound for a model that is not in the library."""
    a, b = find_model(library, here), find_model(library, there)
    digest = shared_dataset(a, b)
    known = {d.digest: d.title for d in a.datasets()}
    nodes, others = along_depth(_main(a), ROWS), along_depth(_main(b), ROWS)
    count = min(len(nodes), len(others))
    pairs = zip(_evenly(nodes, count), _evenly(others, count), strict=True)
    rows = [
        _row(a, n, b, m, i / max(1, count - 1), digest, urls) for i, (n, m) in enumerate(pairs)
    ]
    return ComparePage(
        "compare", f"{a.model.id} and {b.model.id}", _compared(a, urls), _compared(b, urls),
        known.get(digest, "") if digest else "", rows,
        [_switch(library, urls, a, b, first=True), _switch(library, urls, a, b, first=False)],
    )


def _main(atlas: Reading) -> list[NodeRecord]:
    """Nodes with units of their own that are no branch of another, pictured ones if there are
    enough."""
    parts = parts_of(atlas.nodes)
    found = [n for n in atlas.nodes.values() if not is_thin(n) and n.id not in parts]
    pictured = pictured_units(atlas)
    shown = [n for n in found if pictured.get(n.id)]
    return shown if len(shown) >= 3 else found


def _evenly(nodes: list[NodeRecord], count: int) -> list[NodeRecord]:
    """`count` of the nodes, the first and the last among them."""
    return [nodes[i * (len(nodes) - 1) // max(1, count - 1)] for i in range(count)]


def _compared(atlas: Reading, urls: Urls) -> Compared:
    model = atlas.model
    size = model.preprocessing.get("size", 0)
    return Compared(
        model_ref(model, urls), model.summary, model.parameters,
        size if isinstance(size, int) else 0, len(model.labels), len(_main(atlas)),
        unit_count(atlas), model.lineage,
    )


def _row(
    a: Reading, n: NodeRecord, b: Reading, m: NodeRecord, depth: float, digest: str, urls: Urls
) -> Row:
    pairs = [
        Pair(_thumbs(a, n, [p.here], urls)[0], _thumbs(b, m, [p.there], urls)[0], p.value)
        for p in (matches(a, n.id, b, m.id, digest, PAIRS) if digest else ())
    ]
    return Row(depth, _side(a, n, urls), _side(b, m, urls), pairs)


def _side(atlas: Reading, node: NodeRecord, urls: Urls) -> Side:
    units = [tile.unit for tile in spread(node_tiles(atlas, node.id), THUMBS)]
    return Side(node_facts(atlas.model.id, node, urls), _thumbs(atlas, node, units, urls))


def _thumbs(atlas: Reading, node: NodeRecord, units: Sequence[int], urls: Urls) -> list[Thumb]:
    tiles = {tile.unit: tile for tile in node_tiles(atlas, node.id)}
    return [thumb(atlas.model.id, node.id, unit, tiles.get(unit), urls) for unit in units]


def _switch(library: Library, urls: Urls, a: Reading, b: Reading, *, first: bool) -> Switch:
    """The models that can stand on one side, those with nodes."""
    mine, other = (a.model.id, b.model.id) if first else (b.model.id, a.model.id)
    choices = [
        Choice(
            record.id, record.id,
            urls.compare(*((record.id, other) if first else (other, record.id))),
            record.id == mine,
        )
        for record in library.models()
        if library.model(record.id).nodes and (record.id != other or record.id == mine)
    ]
    return Switch("here" if first else "there", "Left" if first else "Right", choices)
