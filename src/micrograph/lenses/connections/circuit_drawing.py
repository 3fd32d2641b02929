"""A circuit drawn as SVG."""

from collections.abc import Callable

from markupsafe import Markup

from micrograph.lenses.connections.circuit import Circuit, CircuitUnit
from micrograph.lenses.connections.circuit_layout import (
    BAR,
    HIGH,
    KERNEL,
    STEPS,
    TILE,
    PlacedKernel,
    PlacedLegend,
    PlacedLine,
    PlacedUnit,
    PlacedWords,
    circuit_layout,
    description,
    told_of_edge,
    told_of_unit,
)
from micrograph.lenses.connections.kernels import colour
from micrograph.parts.plots.graph_drawing import LARGEST
from micrograph.parts.plots.svg import place, text, tile

PictureOf = Callable[[CircuitUnit], "tuple[str, str] | None"]
"""Of a unit: where its picture is, and its mean colour."""

_PAPER = "color:#1d1d1f;background:#fff;font-family:system-ui,sans-serif"


def circuit_drawing(
    circuit: Circuit,
    *,
    picture_of: PictureOf = lambda unit: None,
    link_of: Callable[[CircuitUnit], str] | None = None,
    standalone: bool = False,
) -> Markup:
    """The circuit as SVG; `standalone` for a file of its own, on white paper."""
    found = circuit_layout(circuit)
    width, height = place(found.width), place(found.height)
    parts = [_line(one) for one in found.lines]
    parts += [_kernel(one) for one in found.kernels]
    parts += [_tile(one, picture_of, link_of) for one in found.units]
    parts += [_legend(one) for one in found.legends]
    parts += [_words(one) for one in found.words]
    said = description(circuit)
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="plot plot-graph plot-circuit" '
        'viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}" font-size="11" '
        'style="{}"><desc>{}</desc>{}{}</svg>'
    ).format(
        width,
        height,
        width,
        height,
        said,
        _PAPER if standalone else f"min-width:{width}px;max-width:{place(LARGEST * found.width)}px",
        said,
        Markup('<rect width="100%" height="100%" fill="#fff"/>') if standalone else "",
        Markup("").join(parts),
    )


def _words(one: PlacedWords) -> Markup:
    return text(one.x, one.y, one.words, anchor=one.anchor, quiet=one.quiet, bold=one.bold)


def _line(line: PlacedLine) -> Markup:
    (x0, y0), (x1, _), (x2, y2) = line.start, line.bend_from, line.end
    (a, b), (c, d) = line.handles
    path = (
        f"M{place(x0)} {place(y0)}H{place(x1)}C{place(a)} {place(b)} "
        f"{place(c)} {place(d)} {place(x2)} {place(y2)}"
    )
    return Markup(
        '<g><title>{}</title><path d="{}" fill="none" stroke="{}" stroke-width="{}" '
        'stroke-opacity=".7"/></g>'
    ).format(told_of_edge(line.edge), path, line.colour, f"{line.width:.2f}")


def _kernel(one: PlacedKernel) -> Markup:
    """The weights in their place, and the strength beside them."""
    number, rows, columns = _words(one.number), one.rows, one.columns
    if one.is_lacking:
        grey = Markup(
            '<rect x="{}" y="{}" width="{}" height="{}" fill="currentColor" fill-opacity=".1">'
            "<title>{}; its weights are not kept</title></rect>"
        ).format(place(one.x), place(one.y), KERNEL, KERNEL, told_of_edge(one.edge))
        return grey + number
    if not rows or not columns:
        return number
    cells = "".join(
        f'<rect x="{n}" y="{m}" width="1" height="1" fill="{colour(w / one.scale)}"/>'
        for m, row in enumerate(one.edge.kernel)
        for n, w in enumerate(row)
        if one.scale and w
    )
    x, y = place(one.x), place(one.y)
    wide, high = place(one.side * columns), place(one.side * rows)
    return Markup(
        '<svg x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none" shape-rendering="crispEdges"><title>{}</title>'
        '<rect width="{}" height="{}" fill="#fff"/>{}</svg>'
        '<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="currentColor" '
        'stroke-opacity=".35"/>{}'
    ).format(
        x,
        y,
        wide,
        high,
        columns,
        rows,
        told_of_edge(one.edge),
        columns,
        rows,
        Markup(cells),
        x,
        y,
        wide,
        high,
        number,
    )


def _tile(
    spot: PlacedUnit, picture_of: PictureOf, link_of: Callable[[CircuitUnit], str] | None
) -> Markup:
    unit, found = spot.unit, picture_of(spot.unit)
    box = tile(spot.x, spot.y, TILE, found)
    box += Markup("").join(map(_words, spot.words))
    told = told_of_unit(unit)
    inner = Markup("<g><title>{}</title>{}</g>").format(told, box)
    if link_of is None:
        return inner
    return Markup('<a href="{}" aria-label="{}">{}</a>').format(link_of(unit), told, inner)


def _legend(legend: PlacedLegend) -> Markup:
    x, y = legend.x, place(legend.y)
    bar = "".join(
        f'<rect x="{place(x + BAR * n)}" y="{y}" width="{BAR}" height="{HIGH}" '
        f'shape-rendering="crispEdges" fill="{colour(2 * n / (STEPS - 1) - 1)}"/>'
        for n in range(STEPS)
    )
    frame = Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="currentColor" '
        'stroke-opacity=".35"/>'
    ).format(place(x), y, BAR * STEPS, HIGH)
    return Markup("").join([Markup(bar), frame, *map(_words, legend.words)])
