"""How a unit responds to two properties at once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from micrograph.atlas.kept import Kept
from micrograph.parts.escaping import markup
from micrograph.parts.plots.svg import (
    TEXT,
    WIDTH,
    colours,
    finite,
    line,
    plot,
    short,
    span,
    text,
)

TOP, RIGHT, FLATTEST, TALLEST = 4, 8, 16, 24
"""The last two: a cell's height in px at least and at most."""


def heatmap(
    values: Sequence[Sequence[float]],
    x_axis: Mapping[str, Any],
    y_axis: Mapping[str, Any],
    *,
    baseline: float | None = None,
    title: str = "",
    unit: str = "",
    upward: bool = False,
) -> Markup:
    """`values[row][column]` as colours; the scale is drawn below, a frame marks the largest.

    Axes are as the atlas keeps them: `title`, `unit`, `values`; y's run downwards unless `upward`.
    A tick on the scale is the response to plain grey. Values that are no numbers are left empty.
    """
    known = finite([baseline] if baseline is not None else [])
    grid = _grid_of(x_axis, y_axis, upward)
    rows = [row[: len(cells)] for row, cells in zip(values, grid.cells, strict=False)]
    flat = [value for row in rows for value in row]
    there = finite(flat)
    low, high = span(there + known)
    below = grid.bottom + 2 * TEXT + 9

    scale = colours()
    extent, last = high - low, len(scale) - 1
    # A page has hundreds of cells.
    cells = [
        cell for row, all_ in zip(rows, grid.cells, strict=False) for cell in all_[: len(row)]
    ]
    if len(there) < len(flat):
        cells = [cell for cell, value in zip(cells, flat, strict=True) if math.isfinite(value)]
    shapes: dict[int, list[str]] = {}
    for value, cell in zip(there, cells, strict=True):
        shapes.setdefault(round((value - low) / extent * last), []).append(cell)
    # Crisp, or the page would shine through between the cells.
    parts: list[object] = [
        markup(f'<path d="{"".join(data)}" fill="{scale[key]}" shape-rendering="crispEdges"/>')
        for key, data in shapes.items()
    ]
    parts.append(grid.words)
    parts += _scale(grid.left, below + 9, low, high, known, unit)
    height = below + 9 + 12 + TEXT + 6
    if not there:
        return plot("heatmap", height, parts, title, "No values.")
    value = max(there)
    if value == min(there):
        return plot("heatmap", height, parts, title, f"The same everywhere: {short(value, unit)}.")
    r, c = next((r, row.index(value)) for r, row in enumerate(rows) if value in row)
    x, y = grid.corner(r, c)
    parts.append(
        markup(
            f'<rect class="plot-best" x="{x:.2f}" y="{y:.2f}" '
            f'width="{grid.wide:.2f}" height="{grid.tall:.2f}" '
            'fill="none" stroke="#000" stroke-width="4"/>'
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{grid.wide:.2f}" height="{grid.tall:.2f}" '
            'fill="none" stroke="#fff" stroke-width="2"/>'
        )
    )
    columns, lines = x_axis["values"], y_axis["values"]
    words = (
        f"Strongest at {x_axis['title']} {_name(columns[c])}{_unit(x_axis, columns[c])}, "
        f"{y_axis['title']} {_name(lines[r])}{_unit(y_axis, lines[r])}, with {short(value, unit)}"
    )
    words += f"; plain grey gives {short(known[0], unit)}." if known else "."
    return plot("heatmap", height, parts, title, words)


@dataclass(frozen=True)
class _Grid:
    """What a drawing of two axes has whatever the values are: the outline of each cell by row and
    column, and all `words`."""

    left: float
    wide: float
    tall: float
    bottom: float
    upward: bool
    cells: list[list[str]]
    words: Markup

    def corner(self, row: int, column: int) -> tuple[float, float]:
        return _corner(len(self.cells), self.left, self.wide, self.tall, self.upward, row, column)


_GRIDS: Kept[_Grid] = Kept(
    2 << 20, lambda grid: len(grid.words) + sum(len(cell) for row in grid.cells for cell in row)
)
"""Characters of what the pages of all units of a model have in common."""


def _grid_of(x_axis: Mapping[str, Any], y_axis: Mapping[str, Any], upward: bool) -> _Grid:
    key = (*_words(x_axis), *_words(y_axis), upward)
    return _GRIDS.get(key, lambda: _grid(x_axis, y_axis, upward))


def _words(axis: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(axis["values"]), axis["title"], axis.get("unit")


def _named(axis: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    return tuple(_name(v) for v in axis["values"]), _title(axis)


def _grid(x_axis: Mapping[str, Any], y_axis: Mapping[str, Any], upward: bool) -> _Grid:
    (labels, across), (names, down) = _named(x_axis), _named(y_axis)
    left = min(120, 12 + max((len(n) for n in names), default=1) * TEXT * 0.55)
    wide = (WIDTH - left - RIGHT) / max(1, len(labels))
    tall = min(max(wide, FLATTEST), TALLEST)
    bottom = TOP + tall * len(names)

    def corner(row: int, column: int) -> tuple[float, float]:
        return _corner(len(names), left, wide, tall, upward, row, column)

    def outline(x: float, y: float) -> str:
        return f"M{x:.2f} {y:.2f}h{wide:.2f}v{tall:.2f}h-{wide:.2f}z"

    parts = []
    each = max(1, math.ceil((TEXT + 1) / tall))
    for r in range(0, len(names), each):
        y = corner(r, 0)[1] + tall / 2 + 4
        parts.append(text(left - 5, y, names[r], anchor="end"))
    room = (max((len(n) for n in labels), default=1) + 1.5) * TEXT * 0.55
    each = max(1, math.ceil(room / wide))
    for c in range(0, len(labels), each):
        x = left + (c + 0.5) * wide
        parts.append(text(x, bottom + TEXT + 3, labels[c], anchor="middle"))
    below = bottom + 2 * TEXT + 9
    parts.append(text(left, below, f"{across} →"))
    parts.append(text(WIDTH - RIGHT, below, f"{'↑' if upward else '↓'} {down}", anchor="end"))
    parts.append(_colours(left, below + 9))
    cells = [[outline(*corner(r, c)) for c in range(len(labels))] for r in range(len(names))]
    return _Grid(left, wide, tall, bottom, upward, cells, Markup("").join(parts))


def _corner(
    rows: int, left: float, wide: float, tall: float, upward: bool, row: int, column: int
) -> tuple[float, float]:
    """Where a cell begins: left and top."""
    down = rows - 1 - row if upward else row
    return left + column * wide, TOP + down * tall


def _colours(left: float, y: float) -> Markup:
    """The colours in a row."""
    wide = (WIDTH - left - RIGHT) / len(colours())
    return Markup("").join(
        Markup(
            f'<rect x="{left + k * wide:.2f}" y="{y:.1f}" width="{wide:.2f}" height="8" '
            f'fill="{c}" shape-rendering="crispEdges"/>'
        )
        for k, c in enumerate(colours())
    )


def _scale(
    left: float, y: float, low: float, high: float, known: Sequence[float], unit: str
) -> list[Markup]:
    """The values that the colours stand for."""
    parts: list[Markup] = []
    right = WIDTH - RIGHT
    parts.append(text(left, y + 8 + TEXT + 2, short(low, unit)))
    parts.append(text(right, y + 8 + TEXT + 2, short(high, unit), anchor="end"))
    for value in known:
        x = left + (value - low) / (high - low) * (right - left)
        parts.append(line(x, y - 3, x, y + 11, "axis"))
        if left + 60 < x < right - 60:
            parts.append(text(x, y + 8 + TEXT + 2, "grey", anchor="middle"))
    return parts


def _name(value: object) -> str:
    return value if isinstance(value, str) else short(float(str(value)))


def _title(axis: Mapping[str, Any]) -> str:
    return f"{axis['title']}, {axis['unit']}" if axis.get("unit") else str(axis["title"])


def _unit(axis: Mapping[str, Any], value: object) -> str:
    unit = str(axis.get("unit", ""))
    return "" if isinstance(value, str) or not unit else unit if unit == "°" else f" {unit}"
