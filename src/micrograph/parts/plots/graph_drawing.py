"""An attribution graph drawn: a column for each stage, from the picture to the target.

Orange excites, blue inhibits; an edge's width goes by the square root of its share of all that its
target is made of. Of each column the most influential units are drawn, and how many are not is
said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from micrograph.circuits.graph import AttributionEdge, AttributionGraph, AttributionNode
from micrograph.parts.plots.svg import cut, place, short, text, tile

ROWS = 8
"""Units that are drawn of each stage."""
EDGES = 160
"""Edges that are drawn, the most influential."""
COLUMN, TILE, ROW, TOP = 104, 44, 66, 46
EXCITES, INHIBITS = "#e07b29", "#3b7fc4"
WIDEST = 12.0
LONGEST = 16
"""Letters of a name."""
LARGEST = 1.4
"""How many times as large as it is drawn a page may show it."""

PictureOf = Callable[[str, int], "tuple[str, str] | None"]
"""Of a unit: where a small picture of it is, and its mean colour."""
LinkOf = Callable[[str, int], str]

_STANDALONE = (
    "<style>svg{color:#1d1d1f;background:#fff;font-family:system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){svg{color:#ececec;background:#161618}}</style>"
)


@dataclass(frozen=True)
class _Spot:
    node: AttributionNode
    x: float
    y: float


def graph_drawing(
    graph: AttributionGraph,
    *,
    picture_of: PictureOf = lambda node, unit: None,
    link_of: LinkOf | None = None,
    source: str = "",
    standalone: bool = False,
    rows: int = ROWS,
) -> Markup:
    """The graph as SVG. `source` is where the picture itself is; `standalone` for a file of its
    own, which brings its colours."""
    columns = _columns(graph)
    drawn = [some[:rows] for some in columns]
    height = TOP + ROW * max(map(len, drawn)) + 52
    width = COLUMN * len(columns)
    spots = {}
    for number, some in enumerate(drawn):
        top = TOP + (ROW * max(map(len, drawn)) - ROW * len(some)) / 2
        for row, node in enumerate(some):
            spots[node.id] = _Spot(node, COLUMN * (number + 0.5), top + ROW * row + TILE / 2)
    edges = [e for e in graph.edges if e.source in spots and e.target in spots][:EDGES]
    parts = [_edge(edge, spots) for edge in reversed(edges)]
    parts += [_spot(spot, picture_of, link_of, source) for spot in spots.values()]
    for number, some in enumerate(columns):
        parts.append(_head(COLUMN * (number + 0.5), _heading(graph, some)))
        parts.append(_foot(COLUMN * (number + 0.5), height - 26, some, len(drawn[number])))
    words = description(graph)
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="plot plot-graph" viewBox="0 0 {} {}" '
        'width="{}" height="{}" role="img" aria-label="{}" font-size="11" '
        'style="min-width:{}px;max-width:{}px">{}<desc>{}</desc>{}</svg>'
    ).format(
        place(width),
        place(height),
        place(width),
        place(height),
        words,
        place(width),
        place(LARGEST * width),
        Markup(_STANDALONE) if standalone else "",
        words,
        Markup("").join(parts),
    )


def description(graph: AttributionGraph) -> str:
    """What the drawing shows, in words."""
    into = [edge for edge in graph.edges if edge.target == graph.target][:3]
    first = ", ".join(f"{edge.source} ({short(edge.weight)})" for edge in into)
    return (
        f"What {graph.label or graph.target} is made of on {graph.picture}: {len(graph.nodes)} "
        f"nodes and {len(graph.edges)} edges. Its strongest inputs: {first or 'none'}."
    )


def _columns(graph: AttributionGraph) -> list[list[AttributionNode]]:
    """Nodes by stage, the most influential first; the picture before all, the target last."""
    by_stage: dict[str, list[AttributionNode]] = {stage.node: [] for stage in graph.stages}
    for node in graph.nodes:
        if node.kind in ("unit", "unexplained"):
            by_stage[node.node].append(node)
    ends = [[n for n in graph.nodes if n.kind == kind] for kind in ("picture", "target")]
    inner = [sorted(some, key=lambda n: -n.influence) for some in by_stage.values() if some]
    return [ends[0], *inner, ends[1]]


def _edge(edge: AttributionEdge, spots: dict[str, _Spot]) -> Markup:
    a, b = spots[edge.source], spots[edge.target]
    x0, x1 = a.x + TILE / 2, b.x - TILE / 2
    bend = (x1 - x0) / 2
    width = max(0.6, WIDEST * edge.share**0.5)
    colour = EXCITES if edge.weight > 0 else INHIBITS
    return Markup(
        '<path d="M{} {}C{} {} {} {} {} {}" fill="none" stroke="{}" stroke-width="{}" '
        'stroke-opacity=".62"><title>{} → {}: {}, {} of its inputs</title></path>'
    ).format(
        place(x0),
        place(a.y),
        place(x0 + bend),
        place(a.y),
        place(x1 - bend),
        place(b.y),
        place(x1),
        place(b.y),
        colour,
        f"{width:.2f}",
        edge.source,
        edge.target,
        short(edge.weight),
        _percent(edge.share),
    )


def _spot(spot: _Spot, picture_of: PictureOf, link_of: LinkOf | None, source: str) -> Markup:
    node, half = spot.node, TILE / 2
    x, y = spot.x - half, spot.y - half
    found = None
    if node.kind == "picture" and source:
        found = source, "#888"
    elif node.unit is not None:
        found = picture_of(node.node, node.unit)
    box = tile(x, y, TILE, found, rounded=True)
    if not found:
        inside = "?" if node.kind == "unexplained" else node.unit if node.unit is not None else ""
        box += text(spot.x, spot.y + 4, inside, anchor="middle", quiet=False, bold=True, size=13)
    label = _label(node) if found or node.unit is None or node.label else short(node.value)
    box += text(
        spot.x, y + TILE + 12, label, anchor="middle", bold=bool(node.label), quiet=not found
    )
    told = Markup("<title>{}</title>").format(_told(node))
    inner = Markup("<g>{}{}</g>").format(told, box)
    if link_of is None or node.unit is None:
        return inner
    return Markup('<a href="{}">{}</a>').format(link_of(node.node, node.unit), inner)


def _label(node: AttributionNode) -> str:
    if node.kind == "picture":
        return ""
    if node.kind == "unexplained":
        return "unexplained"
    if node.kind == "target":
        return cut(node.label or str(node.unit), LONGEST)
    at = f" @{node.position[0]},{node.position[1]}" if node.position else ""
    return f"{node.unit}{at}"


def _told(node: AttributionNode) -> str:
    found = f"{node.id}: {short(node.value)}"
    if node.followed:
        found += f"; constant {short(node.constant)}"
        found += f", {node.others} other inputs {short(node.others_sum)}"
    return found


def _heading(graph: AttributionGraph, some: Sequence[AttributionNode]) -> tuple[str, str]:
    first = some[0]
    if first.kind == "picture":
        return "picture", cut(graph.picture, LONGEST)
    if first.kind == "target":
        return cut(first.node, LONGEST), short(first.value)
    stage = next(stage for stage in graph.stages if stage.node == first.node)
    return cut(first.node, LONGEST), f"{stage.kept} of {stage.units}"


def _head(x: float, words: tuple[str, str]) -> Markup:
    first = text(x, 14, words[0], anchor="middle", quiet=False, bold=True)
    return first + text(x, 29, words[1], anchor="middle")


def _foot(x: float, y: float, some: Sequence[AttributionNode], drawn: int) -> Markup:
    """How many are not drawn, and what part of the inputs of those in the column was pruned."""
    left = len(some) - drawn
    known = [node.others_share for node in some if node.followed]
    lines = [f"+ {left} more"] if left else []
    if known:
        lines.append(f"{100 * sum(known) / len(known):.0f} % pruned")
    return Markup("").join(
        text(x, y + 15 * number, line, anchor="middle") for number, line in enumerate(lines)
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
