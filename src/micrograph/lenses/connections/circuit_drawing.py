"""A circuit drawn: a column for each node, inputs at the left, the target at the right.

Beside each unit are its kernels, one for every unit that it is an input of; from there a line goes
to that unit, orange where it excites, blue where it inhibits, thicker for a larger share. The
kernels between two columns have one scale, which is printed below them: weights between other nodes
may be of another size altogether.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from micrograph.lenses.connections.circuit import Circuit, CircuitColumn, CircuitEdge, CircuitUnit
from micrograph.lenses.connections.kernels import colour
from micrograph.parts.plots.graph_drawing import EXCITES, INHIBITS, LARGEST
from micrograph.parts.plots.svg import place, short, text

TILE, KERNEL, PORT, NUMBER = 72, 32, 40, 52
"""Sides of a picture and a kernel; the height of a kernel with its gap; the width of a number."""
GAP = 84
"""What the lines have between two columns."""
LINE, TOP, FOOT, BETWEEN = 14, 44, 66, 16
WIDEST = 14.0
STEP = TILE + 8 + KERNEL + NUMBER + GAP

PictureOf = Callable[[CircuitUnit], "tuple[str, str] | None"]
"""Of a unit: where its picture is, and its mean colour."""

_PAPER = "color:#1d1d1f;background:#fff;font-family:system-ui,sans-serif"


@dataclass(frozen=True)
class _PlacedUnit:
    """A unit with the left upper corner of its picture, and the edges that leave it."""

    unit: CircuitUnit
    x: float
    y: float
    leaving: list[CircuitEdge]

    @property
    def middle(self) -> float:
        return self.y + TILE / 2

    def port(self, edge: CircuitEdge) -> float:
        """The height at which an edge leaves."""
        number = self.leaving.index(edge)
        return self.middle + PORT * (number - (len(self.leaving) - 1) / 2)


def circuit_drawing(
    circuit: Circuit,
    *,
    picture_of: PictureOf = lambda unit: None,
    link_of: Callable[[CircuitUnit], str] | None = None,
    standalone: bool = False,
) -> Markup:
    """The circuit as SVG; `standalone` for a file of its own, on white paper."""
    columns = circuit.columns[::-1]
    spots = _spots(circuit, columns)
    lowest = max(_bottom(spot) for spot in spots.values())
    width = max(STEP * (len(columns) - 1) + TILE + 40, 360)
    height = lowest + FOOT
    edges = sorted(circuit.edges, key=lambda edge: edge.share)
    parts = [_line(edge, spots) for edge in edges]
    scales = {one.id: column.scale for column in columns for one in column.units}
    parts += [_kernel(edge, spots[edge.source], scales[edge.source]) for edge in edges]
    parts += [_tile(spot, picture_of, link_of) for spot in spots.values()]
    for number, column in enumerate(columns):
        parts.append(_head(_left(number) + TILE / 2, column))
        if column.scale:
            parts.append(_legend(column.scale, _left(number), height - 40))
    if circuit.edges:
        told = "Beside a kernel stands its sum, below a unit what is not shown of its inputs."
        parts.append(text(20, height - 8, told))
    said = description(circuit)
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="plot plot-graph plot-circuit" '
        'viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}" font-size="11" '
        'style="{}"><desc>{}</desc>{}{}</svg>'
    ).format(
        place(width),
        place(height),
        place(width),
        place(height),
        said,
        _PAPER
        if standalone
        else f"min-width:{place(width)}px;max-width:{place(LARGEST * width)}px",
        said,
        Markup('<rect width="100%" height="100%" fill="#fff"/>') if standalone else "",
        Markup("").join(parts),
    )


def description(circuit: Circuit) -> str:
    """What the drawing shows, in words."""
    target = circuit.target
    into = sorted((e for e in circuit.edges if e.target == target.id), key=lambda e: -e.share)[:3]
    first = ", ".join(f"{edge.source} ({short(edge.strength)})" for edge in into)
    units = sum(len(column.units) for column in circuit.columns)
    return (
        f"What {target.id} is built from: {units} units and {len(circuit.edges)} connections. "
        f"Its strongest inputs: {first or 'none'}."
    )


def _left(number: int) -> float:
    return 20 + STEP * number


def _spots(circuit: Circuit, columns: list[CircuitColumn]) -> dict[str, _PlacedUnit]:
    leaving: dict[str, list[CircuitEdge]] = {}
    order = {one.id: row for column in columns for row, one in enumerate(column.units)}
    for edge in circuit.edges:
        leaving.setdefault(edge.source, []).append(edge)
    for some in leaving.values():
        some.sort(key=lambda edge: order[edge.target])
    heights = {
        one.id: max(TILE + _below(one), PORT * len(leaving.get(one.id, ()))) + BETWEEN
        for column in columns
        for one in column.units
    }
    tallest = max(sum(heights[one.id] for one in column.units) for column in columns)
    spots = {}
    for number, column in enumerate(columns):
        y = TOP + (tallest - sum(heights[one.id] for one in column.units)) / 2
        for one in column.units:
            ports = PORT * len(leaving.get(one.id, ()))
            above = max(0.0, (ports - TILE) / 2)
            spots[one.id] = _PlacedUnit(one, _left(number), y + above, leaving.get(one.id, []))
            y += max(heights[one.id], above + TILE + _below(one) + BETWEEN)
    return spots


def _below(unit: CircuitUnit) -> float:
    """The height of the words below a picture."""
    return LINE * (1 if unit.rest is None else 2) + 2


def _bottom(spot: _PlacedUnit) -> float:
    ports = spot.middle + PORT * len(spot.leaving) / 2
    return max(spot.y + TILE + _below(spot.unit), ports)


def _line(edge: CircuitEdge, spots: Mapping[str, _PlacedUnit]) -> Markup:
    a, b = spots[edge.source], spots[edge.target]
    x0, y0 = a.x + TILE + 8 + KERNEL + NUMBER, a.port(edge)
    x1, y1 = b.x - 3, b.middle
    bend = (x1 - x0) / 2
    start = a.x + TILE + 8 + KERNEL
    path = (
        f"M{place(start)} {place(y0 + 10)}H{place(x0 - 6)}C{place(x0 + bend)} {place(y0 + 10)} "
        f"{place(x1 - bend)} {place(y1)} {place(x1)} {place(y1)}"
    )
    return Markup(
        '<g><title>{}</title><path d="{}" fill="none" stroke="{}" stroke-width="{}" '
        'stroke-opacity=".7"/></g>'
    ).format(
        _said(edge),
        path,
        EXCITES if edge.strength > 0 else INHIBITS,
        f"{max(1.0, WIDEST * min(edge.share, 1.0) ** 0.5):.2f}",
    )


def _kernel(edge: CircuitEdge, spot: _PlacedUnit, scale: float) -> Markup:
    """The weights in their place, and the strength beside them."""
    x, y = spot.x + TILE + 8, spot.port(edge) - KERNEL / 2
    number = text(x + KERNEL + 4, y + KERNEL / 2 + 1, short(edge.strength), quiet=False)
    if not edge.kernel or not edge.kernel[0]:
        return number
    rows, columns = len(edge.kernel), max(map(len, edge.kernel))
    side = KERNEL / max(rows, columns)
    cells = "".join(
        f'<rect x="{n}" y="{m}" width="1" height="1" fill="{colour(w / scale)}"/>'
        for m, row in enumerate(edge.kernel)
        for n, w in enumerate(row)
        if scale and w
    )
    return Markup(
        '<svg x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none" shape-rendering="crispEdges"><title>{}</title>'
        '<rect width="{}" height="{}" fill="#fff"/>{}</svg>'
        '<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="currentColor" '
        'stroke-opacity=".35"/>{}'
    ).format(
        place(x),
        place(y),
        place(side * columns),
        place(side * rows),
        columns,
        rows,
        _said(edge),
        columns,
        rows,
        Markup(cells),
        place(x),
        place(y),
        place(side * columns),
        place(side * rows),
        number,
    )


def _said(edge: CircuitEdge) -> str:
    return (
        f"{edge.source} → {edge.target}: {short(edge.strength)}, "
        f"{100 * edge.share:.1f} % of its weights"
    )


def _tile(
    spot: _PlacedUnit, picture_of: PictureOf, link_of: Callable[[CircuitUnit], str] | None
) -> Markup:
    unit, found = spot.unit, picture_of(spot.unit)
    box = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"{}/>').format(
        place(spot.x),
        place(spot.y),
        TILE,
        TILE,
        found[1] if found else "currentColor",
        Markup("") if found else Markup(' fill-opacity=".1"'),
    )
    if found:
        box += Markup(
            '<image x="{}" y="{}" width="{}" height="{}" href="{}" '
            'preserveAspectRatio="xMidYMid slice"/>'
        ).format(place(spot.x), place(spot.y), TILE, TILE, found[0])
    middle = spot.x + TILE / 2
    name = f"{unit.unit}{' pinned' if unit.pinned else ''}"
    box += text(middle, spot.y + TILE + LINE - 1, name, anchor="middle", quiet=False, bold=True)
    if unit.rest is not None:
        rest = f"+ {unit.others}: {_percent(unit.rest)}" if unit.others else "no others"
        box += text(middle, spot.y + TILE + 2 * LINE - 1, rest, anchor="middle")
    told = f"{unit.id}; {unit.rest_in_words}" if unit.rest_in_words else unit.id
    inner = Markup("<g><title>{}</title>{}</g>").format(told, box)
    if link_of is None:
        return inner
    return Markup('<a href="{}" aria-label="{}">{}</a>').format(link_of(unit), told, inner)


def _head(x: float, column: CircuitColumn) -> Markup:
    shown = f"{len(column.units)} of {column.count}"
    if column.left_out:
        shown += f", {column.left_out} more chosen"
    return text(x, 14, _cut(column.node), anchor="middle", quiet=False, bold=True) + text(
        x, 29, shown, anchor="middle"
    )


def _legend(scale: float, x: float, y: float) -> Markup:
    """The colours of the kernels that begin at `x`, from the lowest weight to the highest."""
    steps, step = 41, 5
    bar = "".join(
        f'<rect x="{place(x + step * n)}" y="{place(y - 9)}" width="{step}" height="10" '
        f'shape-rendering="crispEdges" fill="{colour(2 * n / (steps - 1) - 1)}"/>'
        for n in range(steps)
    )
    end = x + step * steps
    frame = Markup(
        '<rect x="{}" y="{}" width="{}" height="10" fill="none" stroke="currentColor" '
        'stroke-opacity=".35"/>'
    ).format(place(x), place(y - 9), step * steps)
    return Markup("").join(
        [
            Markup(bar),
            frame,
            text(x, y + 14, short(-scale), quiet=False),
            text((x + end) / 2, y + 14, "each weight", anchor="middle"),
            text(end, y + 14, short(scale), anchor="end", quiet=False),
        ]
    )


def _percent(share: float) -> str:
    return "under 1 %" if 0 < share < 0.005 else f"{round(100 * share)} %"


def _cut(words: str, most: int = 22) -> str:
    return words if len(words) <= most else "…" + words[1 - most :]
