"""Two models side by side: what they are, and what they see at the same depth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from micrograph.atlas import NodeRecord, Reading, Snapshot
from micrograph.lenses.pages.listing import page_of, words
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import (
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
from micrograph.parts.urls import Urls
from micrograph.web.failures import attempt
from micrograph.web.lens_traits import EXAMPLES
from micrograph.web.locations import find_model
from micrograph.web.matches import matches, shared_dataset
from micrograph.web.pages.model_state import own_nodes
from micrograph.web.pages.pictured import (
    along_depth,
    node_tiles,
    pictured_units,
    tiles_of,
    unit_count,
)

ROWS = 10
THUMBS = 8
PAIRS = 6
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class Side:
    """A node at the row's depth, with some of its units; units as in the pictures of the node."""

    node: NodeFacts
    thumbs: list[Thumb]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two units that fire on the same pictures, each the other's best among the row's two nodes;
    `value` is the correlation."""

    here: Thumb
    there: Thumb
    value: float


@dataclass(frozen=True, kw_only=True)
class CompareRow:
    """Nodes of the same name, or at the same share of the way from input (0) to output (1).

    `pairs` are the best of so many as `paired` says; `same` of these are units of one number, and
    `median` is the correlation that half of them reach.
    """

    depth: float
    here: Side
    there: Side
    pairs: list[Pair]
    paired: int
    same: int
    median: float


@dataclass(frozen=True, kw_only=True)
class ComparePage:
    """`/compare?here=<model>&there=<model>`. `dataset` is the title of the pictures on which pairs
    were found, "" where the two models looked at no common ones. `named` says whether rows hold
    nodes of one name; if not, they go by depth. `switches` choose the models."""

    kind: str
    title: str
    here: Compared
    there: Compared
    dataset: str
    named: bool
    rows: list[CompareRow]
    switches: list[Switch]


def compare_page(library: Snapshot, urls: Urls, here: str, there: str) -> ComparePage:
    """Raises NotFound for a model that is not in the library."""
    a, b = find_model(library, here), find_model(library, there)
    digest = shared_dataset(a, b)
    known = {d.digest: d.title for d in a.datasets()}
    named, pairs = _pairs_of_nodes(_main(a), _main(b))
    rows = [
        _row(a, n, b, m, i / max(1, len(pairs) - 1), digest, urls) for i, (n, m) in enumerate(pairs)
    ]
    return ComparePage(
        kind="compare",
        title=f"{a.model.id} and {b.model.id}",
        here=_compared(a, urls),
        there=_compared(b, urls),
        dataset=known.get(digest, "") if digest else "",
        named=named,
        rows=rows,
        switches=[
            _switch(library, urls, a, b, first=True),
            _switch(library, urls, a, b, first=False),
        ],
    )


def _main(atlas: Reading) -> list[NodeRecord]:
    """Nodes with units of their own that are no branch of another, pictured ones if there are
    enough."""
    found = own_nodes(atlas)
    pictured = pictured_units(atlas)
    shown = [n for n in found if pictured.get(n.id)]
    return shown if len(shown) >= 3 else found


def _pairs_of_nodes(
    nodes: list[NodeRecord], others: list[NodeRecord]
) -> tuple[bool, list[tuple[NodeRecord, NodeRecord]]]:
    """Pairs of nodes to show side by side: those with equal names, if that is at least half of the
    shorter list, else those at the same relative depth. At most `ROWS`, evenly."""
    nodes, others = along_depth(nodes, len(nodes)), along_depth(others, len(others))
    names = {name: other for other in others for name in (*other.aliases, other.id)}
    twins = [
        (node, names[name])
        for node in nodes
        if (name := next((n for n in (node.id, *node.aliases) if n in names), ""))
    ]
    if len(twins) >= 3 and 2 * len(twins) >= min(len(nodes), len(others)):
        return True, _evenly_spaced(twins, min(len(twins), ROWS))
    nodes, others = along_depth(nodes, ROWS), along_depth(others, ROWS)
    count = min(len(nodes), len(others))
    return False, list(
        zip(_evenly_spaced(nodes, count), _evenly_spaced(others, count), strict=True)
    )


def _evenly_spaced(items: list[T], count: int) -> list[T]:
    """`count` of the items, the first and the last among them."""
    return [items[i * (len(items) - 1) // max(1, count - 1)] for i in range(count)]


def _compared(atlas: Reading, urls: Urls) -> Compared:
    model = atlas.model
    size = model.preprocessing.get("size", 0)
    return Compared(
        model=model_ref(model, urls),
        summary=model.summary,
        parameters=model.parameters,
        input=size if isinstance(size, int) else 0,
        classes=len(model.labels),
        nodes=len(own_nodes(atlas)),
        units=unit_count(atlas),
        lineage=model.lineage,
    )


def _row(
    a: Reading, n: NodeRecord, b: Reading, m: NodeRecord, depth: float, digest: str, urls: Urls
) -> CompareRow:
    found = matches(a, n.id, b, m.id, digest, n.units) if digest else []
    best = found[:PAIRS]
    here = _thumbs(a, n, [p.here for p in best], urls)
    there = _thumbs(b, m, [p.there for p in best], urls)
    return CompareRow(
        depth=depth,
        here=_side(a, n, urls),
        there=_side(b, m, urls),
        pairs=[
            Pair(here=x, there=y, value=p.value) for x, y, p in zip(here, there, best, strict=True)
        ],
        paired=len(found),
        same=sum(p.here == p.there for p in found),
        median=found[len(found) // 2].value if found else 0.0,
    )


def _side(atlas: Reading, node: NodeRecord, urls: Urls) -> Side:
    tiles = node_tiles(atlas, node.id)
    examples = [] if tiles else sorted(_examples(atlas, node, urls))
    units = [tile.unit for tile in spread(tiles, THUMBS)]
    units += _evenly_spaced(examples, min(len(examples), THUMBS))
    facts = node_facts(atlas.model, node, urls)
    return Side(node=facts, thumbs=_thumbs(atlas, node, units, urls))


def _thumbs(atlas: Reading, node: NodeRecord, units: Sequence[int], urls: Urls) -> list[Thumb]:
    """Each unit's own picture, or else its strongest example."""
    tiles = tiles_of(atlas, node, units)
    examples = _examples(atlas, node, urls) if not tiles.keys() >= {*units} else {}
    return [
        examples[unit]
        if unit in examples and unit not in tiles
        else thumb(atlas.model.id, node.id, unit, tiles.get(unit), urls)
        for unit in units
    ]


def _examples(atlas: Reading, node: NodeRecord, urls: Urls) -> dict[int, Thumb]:
    """The strongest example of each unit, on the first dataset that the node was shown."""
    variant = next(
        (c.variant for c in atlas.counts() if (c.node, c.technique) == (node.id, EXAMPLES)), ""
    )
    make = page_of(EXAMPLES).tiles
    if not variant or make is None:
        return {}
    scene = Scene(atlas, node, None, urls, [])
    return attempt(words(EXAMPLES).title, lambda: make(scene, variant, 96), lambda line: {})


def _switch(library: Snapshot, urls: Urls, a: Reading, b: Reading, *, first: bool) -> Switch:
    """The models that can stand on one side, those with nodes."""
    mine, other = (a.model.id, b.model.id) if first else (b.model.id, a.model.id)
    choices = [
        Choice(
            record.id,
            record.id,
            urls.compare(*((record.id, other) if first else (other, record.id))),
            record.id == mine,
        )
        for record in library.models()
        if library.model(record.id).nodes and (record.id != other or record.id == mine)
    ]
    return Switch("here" if first else "there", "Left" if first else "Right", choices)
