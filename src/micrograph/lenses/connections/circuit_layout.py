"""Where everything of a drawn circuit stands, however it is drawn then: a column for each node,
inputs at the left, the target at the right.

Beside each unit are its kernels, one for every unit that it is an input of; from there a line goes
to that unit, orange where it excites, blue where it inhibits, thicker for a larger share. The
kernels between two columns have one scale, which is printed below them: weights between other nodes
may be of another size altogether.
"""

from dataclasses import dataclass
from math import sqrt

from micrograph.lenses.connections.circuit import Circuit, CircuitColumn, CircuitEdge, CircuitUnit
from micrograph.parts.plots.graph_drawing import EXCITES, INHIBITS
from micrograph.parts.plots.svg import cut, percent, short

TILE, KERNEL, PORT, NUMBER = 72, 32, 40, 52
"""Sides of a picture and a kernel; the height of a kernel with its gap; the width of a number."""
GAP = 84
"""What the lines have between two columns."""
LINE, TOP, FOOT, BETWEEN = 14, 44, 66, 16
WIDEST = 14.0
LONGEST = 22
"""Letters of the name of a node."""
LETTER = 6.6
"""How wide a letter is, about."""
NARROWEST = 440
"""Wide enough for the line at the foot."""
STEP = TILE + 8 + KERNEL + NUMBER + GAP
STEPS, BAR, HIGH = 41, 5, 10
"""Colours of a legend, and the width and height of each."""

Point = tuple[float, float]


@dataclass(frozen=True)
class PlacedWords:
    """Words that begin, end or have their middle at `x`."""

    x: float
    y: float
    words: str
    anchor: str = "start"
    quiet: bool = True
    bold: bool = False


@dataclass(frozen=True)
class PlacedLine:
    """From `start` straight to `bend_from`, then a curve to `end` by two handles."""

    edge: CircuitEdge
    start: Point
    bend_from: Point
    handles: tuple[Point, Point]
    end: Point

    @property
    def colour(self) -> str:
        """Of its sign."""
        return EXCITES if self.edge.strength > 0 else INHIBITS

    @property
    def width(self) -> float:
        """By the square root of its share."""
        return max(1.0, WIDEST * sqrt(min(self.edge.share, 1.0)))


@dataclass(frozen=True)
class PlacedKernel:
    """The weights of an edge from a corner on, each a square of `side`; a grey square where they
    are not kept but others are. The strength stands beside them."""

    edge: CircuitEdge
    x: float
    y: float
    side: float
    scale: float
    number: PlacedWords

    @property
    def is_lacking(self) -> bool:
        """Whether others of its column are kept, and this is not."""
        return bool(self.scale) and not self.side

    @property
    def rows(self) -> int:
        return len(self.edge.kernel)

    @property
    def columns(self) -> int:
        return max(map(len, self.edge.kernel), default=0)


@dataclass(frozen=True)
class PlacedUnit:
    """A unit with the left upper corner of its picture, the edges that leave it, and the words
    below."""

    unit: CircuitUnit
    x: float
    y: float
    leaving: list[CircuitEdge]
    words: list[PlacedWords]

    @property
    def middle(self) -> float:
        return self.y + TILE / 2

    def port(self, edge: CircuitEdge) -> float:
        """The height at which an edge leaves."""
        number = self.leaving.index(edge)
        return self.middle + PORT * (number - (len(self.leaving) - 1) / 2)

    @property
    def bottom(self) -> float:
        """Where all that belongs to it ends."""
        ports = self.middle + PORT * len(self.leaving) / 2
        return max(self.y + TILE + words_below(self.unit), ports)


@dataclass(frozen=True)
class PlacedLegend:
    """The colours of kernels from the lowest weight to the highest, `STEPS` of them."""

    x: float
    y: float
    scale: float
    words: list[PlacedWords]


@dataclass(frozen=True)
class CircuitLayout:
    """All of it; lines first, the thinnest at the back."""

    width: float
    height: float
    lines: list[PlacedLine]
    kernels: list[PlacedKernel]
    units: list[PlacedUnit]
    legends: list[PlacedLegend]
    words: list[PlacedWords]


def circuit_layout(circuit: Circuit) -> CircuitLayout:
    """The places of everything."""
    columns = circuit.columns[::-1]
    spots, branches = _spots(circuit, columns)
    heads = [one for n, column in enumerate(columns) for one in _head(_left(n), column)]
    right = max(one.x + LETTER * len(one.words) for one in [*heads, *branches])
    width = max(STEP * (len(columns) - 1) + TILE + 40, NARROWEST, right + 8)
    height = max(spot.bottom for spot in spots.values()) + FOOT
    edges = sorted(circuit.edges, key=lambda edge: edge.share)
    scales = {one.id: column.scale for column in columns for one in column.units}
    foot = []
    if circuit.edges:
        told = "Beside a kernel stands its sum, below a unit what is not shown of its inputs."
        foot.append(PlacedWords(20, height - 8, told))
    return CircuitLayout(
        width,
        height,
        [_line(edge, spots[edge.source], spots[edge.target]) for edge in edges],
        [_kernel(edge, spots[edge.source], scales[edge.source]) for edge in edges],
        list(spots.values()),
        [
            _legend(column.scale, _left(number), height - 40)
            for number, column in enumerate(columns)
            if column.scale
        ],
        [*heads, *branches, *foot],
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


def told_of_edge(edge: CircuitEdge) -> str:
    """A connection in words."""
    of = "weights" if edge.typical is None else "weights × activation"
    return (
        f"{edge.source} → {edge.target}: {short(edge.strength)}, "
        f"{100 * edge.share:.1f} % of its {of}"
    )


def told_of_unit(unit: CircuitUnit) -> str:
    """A unit in words."""
    parts = [unit.id + (f" ({unit.branch}/{unit.branch_unit})" if unit.branch else "")]
    return "; ".join([*parts, *([unit.rest_in_words] if unit.rest_in_words else [])])


def words_below(unit: CircuitUnit) -> float:
    """The height of the words below a picture."""
    return LINE * (1 if unit.rest is None else 2) + 2


def _left(number: int) -> float:
    return 20 + STEP * number


def _spots(
    circuit: Circuit, columns: list[CircuitColumn]
) -> tuple[dict[str, PlacedUnit], list[PlacedWords]]:
    """Units by id, and the names of branches above the first unit of each."""
    leaving: dict[str, list[CircuitEdge]] = {}
    order = {one.id: row for column in columns for row, one in enumerate(column.units)}
    for edge in circuit.edges:
        leaving.setdefault(edge.source, []).append(edge)
    for some in leaving.values():
        some.sort(key=lambda edge: order[edge.target])
    begins = {
        one.id: one.branch
        for column in columns
        for before, one in zip([None, *column.units], column.units, strict=False)
        if one.branch and (before is None or before.branch != one.branch)
    }
    heights = {
        one.id: max(TILE + words_below(one), PORT * len(leaving.get(one.id, ()))) + BETWEEN
        for column in columns
        for one in column.units
    }
    named = dict.fromkeys(begins, LINE + 4)
    tallest = max(
        sum(heights[one.id] + named.get(one.id, 0) for one in column.units) for column in columns
    )
    spots, branches = {}, []
    for number, column in enumerate(columns):
        x = _left(number)
        own = sum(heights[one.id] + named.get(one.id, 0) for one in column.units)
        y = TOP + (tallest - own) / 2
        for one in column.units:
            if one.id in begins:
                words = cut(begins[one.id], LONGEST)
                branches.append(PlacedWords(x, y + LINE - 3, words))
                y += named[one.id]
            above = max(0.0, (PORT * len(leaving.get(one.id, ())) - TILE) / 2)
            top = y + above
            spots[one.id] = PlacedUnit(
                one, x, top, leaving.get(one.id, []), _words_of(one, x + TILE / 2, top + TILE)
            )
            y += max(heights[one.id], above + TILE + words_below(one) + BETWEEN)
    return spots, branches


def _words_of(unit: CircuitUnit, x: float, y: float) -> list[PlacedWords]:
    own = f"{unit.branch_unit} = " if unit.branch_unit not in (None, unit.unit) else ""
    name = f"{own}{unit.unit}{' pinned' if unit.pinned else ''}"
    words = [PlacedWords(x, y + LINE - 1, name, "middle", quiet=False, bold=True)]
    if unit.rest is not None:
        rest = f"+ {unit.others}: {percent(unit.rest)}" if unit.others else "no others"
        words.append(PlacedWords(x, y + 2 * LINE - 1, rest, "middle"))
    return words


def _line(edge: CircuitEdge, a: PlacedUnit, b: PlacedUnit) -> PlacedLine:
    start = a.x + TILE + 8 + KERNEL
    x0, y0 = start + NUMBER, a.port(edge) + 10
    x1, y1 = b.x - 3, b.middle
    bend = (x1 - x0) / 2
    handles = ((x0 + bend, y0), (x1 - bend, y1))
    return PlacedLine(edge, (start, y0), (x0 - 6, y0), handles, (x1, y1))


def _kernel(edge: CircuitEdge, spot: PlacedUnit, scale: float) -> PlacedKernel:
    x, y = spot.x + TILE + 8, spot.port(edge) - KERNEL / 2
    words = short(edge.strength)
    number = PlacedWords(x + KERNEL + 4, y + KERNEL / 2 + 1, words, quiet=False)
    longest = max(len(edge.kernel), max(map(len, edge.kernel), default=0))
    return PlacedKernel(edge, x, y, KERNEL / longest if longest else 0.0, scale, number)


def _head(x: float, column: CircuitColumn) -> list[PlacedWords]:
    shown = f"{len(column.units)} of {column.count}"
    if column.left_out:
        shown += f", {column.left_out} more chosen"
    return [
        PlacedWords(x, 14, cut(column.node, LONGEST), quiet=False, bold=True),
        PlacedWords(x, 29, shown),
    ]


def _legend(scale: float, x: float, y: float) -> PlacedLegend:
    end = x + BAR * STEPS
    return PlacedLegend(
        x,
        y - HIGH + 1,
        scale,
        [
            PlacedWords(x, y + 14, short(-scale), quiet=False),
            PlacedWords((x + end) / 2, y + 14, "each weight", "middle"),
            PlacedWords(end, y + 14, short(scale), "end", quiet=False),
        ],
    )
