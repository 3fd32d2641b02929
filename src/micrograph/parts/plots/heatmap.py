"""How a unit responds to two properties at once."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from micrograph.parts.plots.svg import (
    TEXT,
    WIDTH,
    colour,
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
    columns, rows = list(x_axis["values"]), list(y_axis["values"])
    known = finite([baseline] if baseline is not None else [])
    low, high = span([v for row in values for v in row] + known)
    names = [_name(v) for v in rows]
    left = min(120, 12 + max((len(n) for n in names), default=1) * TEXT * 0.55)
    wide = (WIDTH - left - RIGHT) / max(1, len(columns))
    tall = min(max(wide, FLATTEST), TALLEST)
    bottom = TOP + tall * len(rows)

    def corner(row: int, column: int) -> tuple[float, float]:
        down = len(rows) - 1 - row if upward else row
        return left + column * wide, TOP + down * tall

    parts: list[object] = []
    shapes: dict[str, str] = {}
    best: tuple[float, int, int] | None = None
    for r, row in enumerate(values):
        for c, value in enumerate(row):
            if not math.isfinite(value):
                continue
            x, y = corner(r, c)
            box = f"M{x:.2f} {y:.2f}h{wide:.2f}v{tall:.2f}h-{wide:.2f}z"
            key = colour((value - low) / (high - low))
            shapes[key] = shapes.get(key, "") + box
            if best is None or value > best[0]:
                best = (value, r, c)
    # Crisp, or the page would shine through between the cells.
    parts += [
        Markup(f'<path d="{data}" fill="{key}" shape-rendering="crispEdges"/>')
        for key, data in shapes.items()
    ]
    each = max(1, math.ceil((TEXT + 1) / tall))
    for r in range(0, len(rows), each):
        y = corner(r, 0)[1] + tall / 2 + 4
        parts.append(text(left - 5, y, names[r], anchor="end"))
    labels = [_name(v) for v in columns]
    room = (max((len(n) for n in labels), default=1) + 1.5) * TEXT * 0.55
    each = max(1, math.ceil(room / wide))
    for c in range(0, len(columns), each):
        x = left + (c + 0.5) * wide
        parts.append(text(x, bottom + TEXT + 3, labels[c], anchor="middle"))
    below = bottom + 2 * TEXT + 9
    parts.append(text(left, below, f"{_title(x_axis)} →"))
    parts.append(
        text(WIDTH - RIGHT, below, f"{'↑' if upward else '↓'} {_title(y_axis)}", anchor="end")
    )
    parts += _scale(left, below + 9, low, high, known, unit)
    height = below + 9 + 12 + TEXT + 6
    if best is None:
        return plot("heatmap", height, parts, title, "No values.")
    value, r, c = best
    if value == min(finite(v for row in values for v in row)):
        return plot("heatmap", height, parts, title, f"The same everywhere: {short(value, unit)}.")
    x, y = corner(r, c)
    parts.append(
        Markup(
            f'<rect class="plot-best" x="{x:.2f}" y="{y:.2f}" '
            f'width="{wide:.2f}" height="{tall:.2f}" '
            'fill="none" stroke="#000" stroke-width="4"/>'
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{wide:.2f}" height="{tall:.2f}" fill="none" '
            'stroke="#fff" stroke-width="2"/>'
        )
    )
    words = (
        f"Strongest at {x_axis['title']} {_name(columns[c])}{_unit(x_axis, columns[c])}, "
        f"{y_axis['title']} {_name(rows[r])}{_unit(y_axis, rows[r])}, with {short(value, unit)}"
    )
    words += f"; plain grey gives {short(known[0], unit)}." if known else "."
    return plot("heatmap", height, parts, title, words)


def _scale(
    left: float, y: float, low: float, high: float, known: Sequence[float], unit: str
) -> list[Markup]:
    """The colours with the values they stand for."""
    wide = (WIDTH - left - RIGHT) / len(colours())
    parts = [
        Markup(
            f'<rect x="{left + k * wide:.2f}" y="{y:.1f}" width="{wide:.2f}" height="8" '
            f'fill="{c}" shape-rendering="crispEdges"/>'
        )
        for k, c in enumerate(colours())
    ]
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
