"""Where the nodes of a model's graph stand on the page: a layered drawing from parents alone.

The drawing is one calm column with the input on top. Nodes that every path runs through ("waists")
stand alone in the middle; whatever lies between two waists is laid out side by side, each branch
in a column of its own. So an Inception module becomes a row of branches over its output, a
residual block a column beside a line that skips it, and a graph without any waist an ordinary
layered drawing. All lengths are in CSS pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from micrograph.atlas.records import ATTACHED_KINDS, NodeRecord
from micrograph.web.layers import Item, arrange, components, topological

THIN_KINDS = (
    "pool", "norm", "lrn", "relu", "dropout", "softmax", "flatten", "pad", "identity", "scale",
    "token",
)
TOKEN = "token"
INPUT = "input"


@dataclass(frozen=True)
class Sizes:
    """Lengths of a drawing. `wide`: waists; `branch`: nodes between them; `thin`: pools, norms."""

    wide: tuple[int, int]
    branch: tuple[int, int]
    thin: tuple[int, int]
    gap_x: int
    gap_y: int
    padding: int
    lane: int


FULL = Sizes((616, 98), (142, 69), (142, 24), gap_x=16, gap_y=24, padding=16, lane=10)
PICTURED = Sizes((200, 224), (128, 152), (128, 24), gap_x=16, gap_y=24, padding=16, lane=10)
"""For one square picture per node."""
MAP = Sizes((60, 9), (12, 6), (28, 4), gap_x=4, gap_y=4, padding=3, lane=3)


@dataclass(frozen=True)
class Box:
    """A node's place: top left corner and size. `role` is "wide", "branch", "thin",
    "token" or "input"."""

    id: str
    role: str
    x: float
    y: float
    width: int
    height: int
    label: str


@dataclass(frozen=True)
class Group:
    """The block around several branches and the node they end in, whose id is `title`."""

    title: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """A finished drawing. `edges` are (upper node, lower node, SVG path data)."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[tuple[str, str, str], ...]
    groups: tuple[Group, ...]


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


def blocks(order: Sequence[str], parents: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Cut a topological order at its waists: each block ends in the waist that closes it.

    A node is a waist when no edge runs from a node before it to a node behind it.
    """
    position = {node: i for i, node in enumerate(order)}
    reach = list(range(len(order)))
    for node in order:
        for parent in parents[node]:
            reach[position[parent]] = max(reach[position[parent]], position[node])
    found: list[list[str]] = []
    current: list[str] = []
    furthest = 0
    for i, node in enumerate(order):
        current.append(node)
        if furthest <= i:
            found.append(current)
            current = []
        furthest = max(furthest, reach[i])
    return found


@lru_cache(maxsize=64)
def layout(
    nodes: tuple[NodeRecord, ...], sizes: Sizes = FULL, plain: frozenset[str] = frozenset(),
    labels: frozenset[tuple[str, str]] = frozenset(),
) -> Layout:
    """Draw the graph of `nodes`. Parents that are not among the nodes are left out.

    Nodes without parents hang below a box called "input". Those in `plain` are drawn thin, for
    want of pictures. `labels` are pairs of a node and what to call it; others go by their ids,
    branches without what all names around them begin with.
    """
    beside = [n for n in nodes if n.kind in ATTACHED_KINDS]
    by_id = {n.id: n for n in nodes if n.kind not in ATTACHED_KINDS}
    tokens = [n for n in by_id.values() if n.kind == TOKEN and _whole(n.id) in by_id]
    read = [(t.id, n.id) for t in tokens for n in by_id.values() if t.id in n.parents]
    read = [(t, n) for t, n in read if _whole(t) not in by_id[n].parents]
    by_id = _without(by_id, [n.id for n in tokens])
    heads = [by_id.pop(id) for id in _heads(by_id)]
    parents = {n.id: [p for p in n.parents if p in by_id] or [INPUT] for n in by_id.values()}
    parents[INPUT] = []
    order = topological(parents, {n.id: n.index for n in by_id.values()} | {INPUT: -1})
    drawing = _Drawing(sizes, by_id, parents, plain, dict(labels)).draw(blocks(order, parents))
    drawing = _with_heads(drawing, heads, sizes, plain) if heads else drawing
    drawing = _with_tokens(drawing, tokens, read, sizes) if tokens else drawing
    return _with_beside(drawing, beside, sizes, plain) if beside else drawing


def _heads(nodes: Mapping[str, NodeRecord]) -> list[str]:
    """Nodes that lead to small outputs beside the main one, such as auxiliary classifiers."""
    above: dict[str, set[str]] = {}
    for node in nodes.values():
        above[node.id] = {node.id}.union(*(above.get(p, ()) for p in node.parents))
    ends = set(nodes).difference(*(node.parents for node in nodes.values()))
    main = max((above[end] for end in ends), key=len, default=set())
    found = [id for id in nodes if id not in main]
    return found if 4 * len(found) <= len(nodes) else []


def _with_heads(
    drawn: Layout, nodes: Sequence[NodeRecord], sizes: Sizes, plain: frozenset[str]
) -> Layout:
    """Auxiliary heads stand in a column at the side, each from the height of its first parent."""
    places = {box.id: box for box in drawn.boxes}
    edges = list(drawn.edges)
    middle = drawn.width + sizes.gap_x + sizes.branch[0] / 2
    prefix = _common_prefix([node.id for node in nodes])
    free = 0.0
    for node in nodes:
        above = [places[p] for p in node.parents if p in places] or [places[INPUT]]
        thin = is_thin(node) or node.id in plain
        role, size = ("thin", sizes.thin) if thin else ("branch", sizes.branch)
        y = max(free, max(box.y for box in above))
        box = Box(node.id, role, middle - size[0] / 2, y, *size, node.id.removeprefix(prefix))
        for parent in above:
            inside = parent.x > drawn.width
            bottom = (parent.x + parent.width / 2, parent.y + parent.height)
            line = _curve([bottom, (middle, y)]) if inside else _across(parent, box)
            edges.append((parent.id, node.id, line))
        places[node.id] = box
        free = y + size[1] + sizes.gap_y
    width = middle + max(sizes.branch[0], sizes.thin[0]) / 2
    height = max(box.y + box.height for box in places.values())
    return Layout(width, height, tuple(places.values()), tuple(edges), drawn.groups)


def _with_beside(
    drawn: Layout, nodes: Sequence[NodeRecord], sizes: Sizes, plain: frozenset[str]
) -> Layout:
    """Nodes that no network computes stand at the side, level with the node that they read."""
    places = {box.id: box for box in drawn.boxes}
    boxes, edges = list(drawn.boxes), list(drawn.edges)
    free: dict[str, float] = {}
    width = drawn.width
    for node in nodes:
        base = next((p for p in node.parents if p in places), INPUT)
        role, size = ("thin", sizes.thin) if node.id in plain else ("branch", sizes.branch)
        x = free.get(base, drawn.width + sizes.gap_x)
        box = Box(node.id, role, x, places[base].y, *size, node.id.removeprefix(f"{base}."))
        edges.append((base, node.id, _across(places[base], box)))
        boxes.append(box)
        free[base] = x + box.width + sizes.gap_x
        width = max(width, x + box.width)
    height = max(drawn.height, max(box.y + box.height for box in boxes))
    return Layout(width, height, tuple(boxes), tuple(edges), drawn.groups)


def _whole(token: str) -> str:
    """The node of which a token is one position: `blocks.3.add` of `blocks.3.add.class`."""
    return token.rpartition(".")[0]


def _without(nodes: Mapping[str, NodeRecord], tokens: Sequence[str]) -> dict[str, NodeRecord]:
    """The nodes without these tokens: who reads one reads the node that it belongs to."""
    alone = {token: _whole(token) for token in tokens}
    return {
        n.id: replace(n, parents=tuple(dict.fromkeys(alone.get(p, p) for p in n.parents)))
        if alone.keys() & {*n.parents} else n
        for n in nodes.values() if n.id not in alone
    }


def _with_tokens(
    drawn: Layout, tokens: Sequence[NodeRecord], read: Sequence[tuple[str, str]], sizes: Sizes
) -> Layout:
    """The class token's way is a column at the side, level with the nodes it is a position of.
    `read` are the tokens that a node reads alone, and that node.

    Of the edges between tokens only those from one to the next are drawn: the others run beside
    edges of the nodes they belong to.
    """
    places = {box.id: box for box in drawn.boxes}
    instead = {(_whole(token), node) for token, node in read}
    edges = [edge for edge in drawn.edges if edge[:2] not in instead]
    x, width = drawn.width + sizes.gap_x, sizes.thin[0] // 2
    last = ""
    for node in sorted(tokens, key=lambda token: places[_whole(token.id)].y):
        base = places[_whole(node.id)]
        y = base.y + (base.height - sizes.thin[1]) / 2
        if last:
            y = max(y, places[last].y + sizes.thin[1] + sizes.gap_y)
        box = Box(node.id, TOKEN, x, y, width, sizes.thin[1], node.id.rpartition(".")[2])
        for parent in node.parents:
            if parent == last:
                middle, bottom = x + box.width / 2, places[last].y + box.height
                edges.append((last, node.id, _curve([(middle, bottom), (middle, y)])))
            elif parent in places and places[parent].x < x:
                edges.append((parent, node.id, _across(places[parent], box)))
        places[node.id] = box
        last = node.id
    for token, child in read:
        if places[child].x < x:
            above, below = places[token], places[child]
            start = (above.x + above.width / 2, above.y + above.height)
            edges.append((token, child, _curve([start, (below.x + below.width / 2, below.y)])))
    height = max(box.y + box.height for box in places.values())
    return Layout(x + width, height, tuple(places.values()), tuple(edges), drawn.groups)


def _across(left: Box, right: Box) -> str:
    """A line from one box to another beside it, level at both ends."""
    x0, y0 = left.x + left.width, left.y + left.height / 2
    x1, y1 = right.x, right.y + right.height / 2
    middle = (x0 + x1) / 2
    return f"M{x0:g} {y0:g}C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}"


class _Drawing:
    """Places block after block from the top and collects boxes, edges and groups."""

    def __init__(
        self, sizes: Sizes, nodes: Mapping[str, NodeRecord],
        parents: Mapping[str, Sequence[str]], plain: frozenset[str], labels: Mapping[str, str],
    ) -> None:
        self.sizes, self.nodes, self.parents, self.plain = sizes, nodes, parents, plain
        self.labels = labels
        self.boxes: dict[str, Box] = {}
        self.bends: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self.groups: list[Group] = []

    def draw(self, blocks: Sequence[Sequence[str]]) -> Layout:
        y: float = 0
        for number, block in enumerate(blocks):
            if number:
                y += self.sizes.gap_y
            y = self._single(block[0], y) if len(block) == 1 else self._block(block, y)
        left = min([b.x for b in self.boxes.values()] + [g.x for g in self.groups])
        right = max(
            [b.x + b.width for b in self.boxes.values()] + [g.x + g.width for g in self.groups]
        )
        shift = -left
        boxes = tuple(
            Box(b.id, b.role, b.x + shift, b.y, b.width, b.height, b.label)
            for b in self.boxes.values()
        )
        groups = tuple(
            Group(g.title, g.x + shift, g.y, g.width, g.height) for g in self.groups
        )
        return Layout(right - left, y, boxes, self._edges(shift), groups)

    def _role(self, node: str, inside: bool) -> tuple[str, tuple[int, int]]:
        if node == INPUT:
            return "input", self.sizes.thin
        if is_thin(self.nodes[node]) or node in self.plain:
            return "thin", self.sizes.thin
        if inside:
            return "branch", self.sizes.branch
        return "wide", self.sizes.wide

    def _put(self, node: str, center: float, y: float, inside: bool, prefix: str = "") -> Box:
        role, (width, height) = self._role(node, inside)
        label = node.removeprefix(prefix) or node
        if inside and node in self.labels:
            label = min(label, self.labels[node], key=len) if prefix else self.labels[node]
        self.boxes[node] = Box(node, role, center - width / 2, y, width, height, label)
        return self.boxes[node]

    def _single(self, node: str, y: float) -> float:
        box = self._put(node, 0, y, inside=False)
        return y + box.height

    def _block(self, block: Sequence[str], y: float) -> float:
        """Branches side by side, then the waist they meet in; several ends stay branches."""
        ends_in_waist = sum(self._is_end(n, block) for n in block) == 1
        inner = list(block[:-1]) if ends_in_waist else list(block)
        waist = block[-1] if ends_in_waist else None
        prefix = _common_prefix(block)
        framed = waist is not None and len(inner) > 1
        top = y + (self.sizes.padding if framed else 0)
        skips = waist is not None and any(p not in inner for p in self.parents[waist])

        columns = []
        for part in components(inner, self.parents):
            items = {
                n: Item(n, *self._role(n, True)[1]) for n in part
            }
            columns.append(
                arrange(items, self.parents, waist, self.sizes.gap_x, self.sizes.gap_y,
                        self.sizes.lane)
            )
        depth = max(c.height for c in columns)
        lane = self.sizes.gap_x + self.sizes.lane if skips else 0
        total = sum(c.width for c in columns) + self.sizes.gap_x * (len(columns) - 1)
        x = -total / 2
        for column in columns:
            # Short branches stand at the bottom, next to the node they feed.
            offset = top + depth - column.height
            branch = self._branch([name for name, _, _ in column.places], prefix)
            for name, cx, cy in column.places:
                self._put(name, x + cx, offset + cy, True, branch)
            for edge, points in column.bends.items():
                self.bends[edge] = [(x + px, offset + py) for px, py in points]
            x += column.width + self.sizes.gap_x
        for node in inner:
            # Enter a short branch at the top of its own column, not across its neighbours.
            box = self.boxes[node]
            for parent in self.parents[node]:
                if parent not in inner and box.y > top:
                    self.bends.setdefault((parent, node), [(box.x + box.width / 2, top)])
        bottom = top + depth
        if waist is not None:
            box = self._put(waist, 0, bottom + self.sizes.gap_y, inside=False)
            bottom = box.y + box.height
            if skips:
                side = total / 2 + lane
                for parent in self.parents[waist]:
                    if parent not in inner:
                        self.bends[parent, waist] = [(side, top), (side, top + depth)]
        if framed and waist is not None:
            half = max(total / 2 + lane, self.boxes[waist].width / 2) + self.sizes.padding
            bottom += self.sizes.padding
            self.groups.append(Group(waist, -half, y, 2 * half, bottom - y))
        return bottom

    def _branch(self, column: Sequence[str], prefix: str) -> str:
        """What the names of a branch begin with, `Branch_1.` behind `prefix` in Inceptions."""
        first = prefix + column[0].removeprefix(prefix).partition(".")[0] + "."
        return first if prefix and all(name.startswith(first) for name in column) else prefix

    def _is_end(self, node: str, block: Sequence[str]) -> bool:
        return not any(node in self.parents[other] for other in block)

    def _edges(self, shift: float) -> tuple[tuple[str, str, str], ...]:
        found = []
        for child, box in self.boxes.items():
            for parent in self.parents[child]:
                above = self.boxes[parent]
                points = [
                    (above.x + above.width / 2, above.y + above.height),
                    *self.bends.get((parent, child), ()),
                    (box.x + box.width / 2, box.y),
                ]
                found.append((parent, child, _curve([(x + shift, y) for x, y in points])))
        return tuple(found)


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A line that leaves and arrives vertically at each point."""
    text = f"M{points[0][0]:g} {points[0][1]:g}"
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 == x1:
            text += f"V{y1:g}"
        else:
            middle = (y0 + y1) / 2
            text += f"C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}"
    return text


def _common_prefix(names: Sequence[str]) -> str:
    """What all names start with, up to and including a separator; "" where there is nothing."""
    first, last = min(names), max(names)
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    shared = first[:length]
    if length == len(first) and last[length:length + 1] in ("_", ".", "-"):
        return last[: length + 1]
    cut = max(shared.rfind(s) for s in "_.-")
    return shared[: cut + 1]
