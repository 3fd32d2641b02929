"""A graph as one column: blocks of nodes from the top down, side by side within a block.

All lengths are in CSS pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from micrograph.atlas.records import NodeRecord
from micrograph.graph import is_drawn_small
from micrograph.web.layers import Item, arrange, components

INPUT = "input"


@dataclass(frozen=True)
class Sizes:
    """Lengths of a drawing. `wide`: nodes that every path passes; `branch`: nodes between them;
    `thin`: pools, norms."""

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
class NodeBox:
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
class BlockFrame:
    """The block around several branches and the node they end in, whose id is `title`."""

    title: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Drawing:
    """A finished drawing. `edges` are (upper node, lower node, SVG path data)."""

    width: float
    height: float
    boxes: tuple[NodeBox, ...]
    edges: tuple[tuple[str, str, str], ...]
    groups: tuple[BlockFrame, ...]


class ColumnDrawing:
    """Places block after block from the top and collects boxes, edges and groups."""

    def __init__(
        self,
        sizes: Sizes,
        nodes: Mapping[str, NodeRecord],
        parents: Mapping[str, Sequence[str]],
        plain: frozenset[str],
        labels: Mapping[str, str],
    ) -> None:
        self.sizes, self.nodes, self.parents, self.plain = sizes, nodes, parents, plain
        self.labels = labels
        self.boxes: dict[str, NodeBox] = {}
        self.bends: dict[tuple[str, str], list[tuple[float, float]]] = {}
        self.groups: list[BlockFrame] = []

    def draw(self, blocks: Sequence[Sequence[str]]) -> Drawing:
        """The finished drawing of these blocks, the first on top."""
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
            NodeBox(b.id, b.role, b.x + shift, b.y, b.width, b.height, b.label)
            for b in self.boxes.values()
        )
        groups = tuple(
            BlockFrame(g.title, g.x + shift, g.y, g.width, g.height) for g in self.groups
        )
        return Drawing(right - left, y, boxes, self._edges(shift), groups)

    def _role(self, node: str, inside: bool) -> tuple[str, tuple[int, int]]:
        if node == INPUT:
            return "input", self.sizes.thin
        if is_drawn_small(self.nodes[node]) or node in self.plain:
            return "thin", self.sizes.thin
        if inside:
            return "branch", self.sizes.branch
        return "wide", self.sizes.wide

    def _place_node(
        self, node: str, center: float, y: float, inside: bool, prefix: str = ""
    ) -> NodeBox:
        role, (width, height) = self._role(node, inside)
        label = node.removeprefix(prefix) or node
        if inside and node in self.labels:
            label = min(label, self.labels[node], key=len) if prefix else self.labels[node]
        self.boxes[node] = NodeBox(node, role, center - width / 2, y, width, height, label)
        return self.boxes[node]

    def _single(self, node: str, y: float) -> float:
        box = self._place_node(node, 0, y, inside=False)
        return y + box.height

    def _block(self, block: Sequence[str], y: float) -> float:
        """Branches side by side, then the dominator they meet in; several ends stay branches."""
        ends_in_one = sum(self._is_end(n, block) for n in block) == 1
        inner = list(block[:-1]) if ends_in_one else list(block)
        dominator = block[-1] if ends_in_one else None
        prefix = common_prefix(block)
        framed = dominator is not None and len(inner) > 1
        top = y + (self.sizes.padding if framed else 0)
        skips = dominator is not None and any(p not in inner for p in self.parents[dominator])

        columns = []
        for part in components(inner, self.parents):
            items = {n: Item(n, *self._role(n, True)[1]) for n in part}
            columns.append(
                arrange(
                    items,
                    self.parents,
                    dominator,
                    self.sizes.gap_x,
                    self.sizes.gap_y,
                    self.sizes.lane,
                )
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
                self._place_node(name, x + cx, offset + cy, True, branch)
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
        if dominator is not None:
            box = self._place_node(dominator, 0, bottom + self.sizes.gap_y, inside=False)
            bottom = box.y + box.height
            if skips:
                side = total / 2 + lane
                for parent in self.parents[dominator]:
                    if parent not in inner:
                        self.bends[parent, dominator] = [(side, top), (side, top + depth)]
        if framed and dominator is not None:
            half = max(total / 2 + lane, self.boxes[dominator].width / 2) + self.sizes.padding
            bottom += self.sizes.padding
            self.groups.append(BlockFrame(dominator, -half, y, 2 * half, bottom - y))
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
                found.append((parent, child, curve([(x + shift, y) for x, y in points])))
        return tuple(found)


def curve(points: Sequence[tuple[float, float]]) -> str:
    """A line that leaves and arrives vertically at each point."""
    text = f"M{points[0][0]:g} {points[0][1]:g}"
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 == x1:
            text += f"V{y1:g}"
        else:
            middle = (y0 + y1) / 2
            text += f"C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}"
    return text


def common_prefix(names: Sequence[str]) -> str:
    """What all names start with, up to and including a separator; "" where there is nothing."""
    first, last = min(names), max(names)
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    shared = first[:length]
    if length == len(first) and last[length : length + 1] in ("_", ".", "-"):
        return last[: length + 1]
    cut = max(shared.rfind(s) for s in "_.-")
    return shared[: cut + 1]


def across(left: NodeBox, right: NodeBox) -> str:
    """A line from one box to another beside it, level at both ends."""
    x0, y0 = left.x + left.width, left.y + left.height / 2
    x1, y1 = right.x, right.y + right.height / 2
    middle = (x0 + x1) / 2
    return f"M{x0:g} {y0:g}C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}"
