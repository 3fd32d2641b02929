"""Where the nodes of a model's graph stand on the page: a layered drawing from parents alone.

The drawing is one calm column with the input on top. Nodes that dominate all
below them, because every path runs through them, stand alone in the middle; whatever lies between
two of them is laid out side by side, each branch in a column of its own. So an Inception module
becomes a row of branches over its output, a residual block a column beside a line that skips it,
and a graph without such nodes an ordinary layered drawing. All lengths are in CSS pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from micrograph.atlas.records import NodeRecord
from micrograph.graph import Dag, NodeKind, is_drawn_small
from micrograph.web.column import (
    FULL,
    INPUT,
    ColumnDrawing,
    Drawing,
    NodeBox,
    Sizes,
    across,
    common_prefix,
    curve,
)


@lru_cache(maxsize=64)
def layout(
    nodes: tuple[NodeRecord, ...],
    sizes: Sizes = FULL,
    plain: frozenset[str] = frozenset(),
    labels: frozenset[tuple[str, str]] = frozenset(),
) -> Drawing:
    """Draw the graph of `nodes`. Parents that are not among the nodes are left out.

    Nodes without parents hang below a box called "input". Those in `plain` are drawn thin, for
    want of pictures. `labels` are pairs of a node and what to call it; others go by their ids,
    branches without what all names around them begin with.
    """
    beside = [n for n in nodes if NodeKind.of(n.kind).is_attached]
    by_id = {n.id: n for n in nodes if not NodeKind.of(n.kind).is_attached}
    tokens = [
        n for n in by_id.values() if NodeKind.of(n.kind).is_token and _node_of_token(n.id) in by_id
    ]
    read = [(t.id, n.id) for t in tokens for n in by_id.values() if t.id in n.parents]
    read = [(t, n) for t, n in read if _node_of_token(t) not in by_id[n].parents]
    by_id = _without_tokens(by_id, [n.id for n in tokens])
    heads = [by_id.pop(id) for id in _heads(by_id)]
    known = Dag.of(by_id.values()).parents
    parents = {INPUT: ()} | {n: above or (INPUT,) for n, above in known.items()}
    dag = Dag(parents, {n.id: n.index for n in by_id.values()} | {INPUT: -1})
    drawing = ColumnDrawing(sizes, by_id, parents, plain, dict(labels)).draw(dag.blocks())
    drawing = _with_heads(drawing, heads, sizes, plain) if heads else drawing
    drawing = _with_tokens(drawing, tokens, read, sizes) if tokens else drawing
    return _with_dictionary_nodes(drawing, beside, sizes, plain) if beside else drawing


def _heads(nodes: Mapping[str, NodeRecord]) -> list[str]:
    """Nodes that lead to small outputs beside the main one, such as auxiliary classifiers."""
    dag = Dag.of(nodes.values())
    main = max((dag.ancestors(end) | {end} for end in dag.ends), key=len, default=frozenset())
    found = [id for id in nodes if id not in main]
    return found if 4 * len(found) <= len(nodes) else []


def _with_heads(
    drawn: Drawing, nodes: Sequence[NodeRecord], sizes: Sizes, plain: frozenset[str]
) -> Drawing:
    """Auxiliary heads stand in a column at the side, each from the height of its first parent."""
    places = {box.id: box for box in drawn.boxes}
    edges = list(drawn.edges)
    middle = drawn.width + sizes.gap_x + sizes.branch[0] / 2
    prefix = common_prefix([node.id for node in nodes])
    free = 0.0
    for node in nodes:
        above = [places[p] for p in node.parents if p in places] or [places[INPUT]]
        thin = is_drawn_small(node) or node.id in plain
        role, size = ("thin", sizes.thin) if thin else ("branch", sizes.branch)
        y = max(free, max(box.y for box in above))
        box = NodeBox(node.id, role, middle - size[0] / 2, y, *size, node.id.removeprefix(prefix))
        for parent in above:
            inside = parent.x > drawn.width
            bottom = (parent.x + parent.width / 2, parent.y + parent.height)
            line = curve([bottom, (middle, y)]) if inside else across(parent, box)
            edges.append((parent.id, node.id, line))
        places[node.id] = box
        free = y + size[1] + sizes.gap_y
    width = middle + max(sizes.branch[0], sizes.thin[0]) / 2
    height = max(box.y + box.height for box in places.values())
    return Drawing(width, height, tuple(places.values()), tuple(edges), drawn.groups)


def _with_dictionary_nodes(
    drawn: Drawing, nodes: Sequence[NodeRecord], sizes: Sizes, plain: frozenset[str]
) -> Drawing:
    """Nodes of dictionaries are drawn at the side, level with the node that they read."""
    places = {box.id: box for box in drawn.boxes}
    boxes, edges = list(drawn.boxes), list(drawn.edges)
    free: dict[str, float] = {}
    width = drawn.width
    for node in nodes:
        base = next((p for p in node.parents if p in places), INPUT)
        role, size = ("thin", sizes.thin) if node.id in plain else ("branch", sizes.branch)
        x = free.get(base, drawn.width + sizes.gap_x)
        box = NodeBox(node.id, role, x, places[base].y, *size, node.id.removeprefix(f"{base}."))
        edges.append((base, node.id, across(places[base], box)))
        boxes.append(box)
        free[base] = x + box.width + sizes.gap_x
        width = max(width, x + box.width)
    height = max(drawn.height, max(box.y + box.height for box in boxes))
    return Drawing(width, height, tuple(boxes), tuple(edges), drawn.groups)


def _node_of_token(token: str) -> str:
    """The node of which a token is one position: `blocks.3.add` of `blocks.3.add.class`."""
    return token.rpartition(".")[0]


def _without_tokens(
    nodes: Mapping[str, NodeRecord], tokens: Sequence[str]
) -> dict[str, NodeRecord]:
    """The nodes without these tokens: readers of a token become readers of its node."""
    alone = {token: _node_of_token(token) for token in tokens}
    return {
        n.id: replace(n, parents=tuple(dict.fromkeys(alone.get(p, p) for p in n.parents)))
        if alone.keys() & {*n.parents}
        else n
        for n in nodes.values()
        if n.id not in alone
    }


def _with_tokens(
    drawn: Drawing, tokens: Sequence[NodeRecord], read: Sequence[tuple[str, str]], sizes: Sizes
) -> Drawing:
    """The class token's way is a column at the side, level with the nodes it is a position of.
    `read` are the tokens that a node reads alone, and that node.

    Of the edges between tokens only those from one to the next are drawn: the others run beside
    edges of the nodes they belong to.
    """
    places = {box.id: box for box in drawn.boxes}
    instead = {(_node_of_token(token), node) for token, node in read}
    edges = [edge for edge in drawn.edges if edge[:2] not in instead]
    x, width = drawn.width + sizes.gap_x, sizes.thin[0] // 2
    last = ""
    for node in sorted(tokens, key=lambda token: places[_node_of_token(token.id)].y):
        base = places[_node_of_token(node.id)]
        y = base.y + (base.height - sizes.thin[1]) / 2
        if last:
            y = max(y, places[last].y + sizes.thin[1] + sizes.gap_y)
        box = NodeBox(node.id, "token", x, y, width, sizes.thin[1], node.id.rpartition(".")[2])
        for parent in node.parents:
            if parent == last:
                middle, bottom = x + box.width / 2, places[last].y + box.height
                edges.append((last, node.id, curve([(middle, bottom), (middle, y)])))
            elif parent in places and places[parent].x < x:
                edges.append((parent, node.id, across(places[parent], box)))
        places[node.id] = box
        last = node.id
    for token, child in read:
        if places[child].x < x:
            above, below = places[token], places[child]
            start = (above.x + above.width / 2, above.y + above.height)
            edges.append((token, child, curve([start, (below.x + below.width / 2, below.y)])))
    height = max(box.y + box.height for box in places.values())
    return Drawing(x + width, height, tuple(places.values()), tuple(edges), drawn.groups)
