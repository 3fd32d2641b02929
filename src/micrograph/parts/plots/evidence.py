"""Plots of evidence: what a source reaches among its controls, and the weights of a kernel."""

from collections.abc import Sequence

from markupsafe import Markup

from micrograph.parts.plots.svg import short

_WIDTH, _HEIGHT, _EDGE = 320, 46, 8


def controls_plot(
    effect: float, controls: Sequence[float], low: float | None, high: float | None
) -> Markup:
    """Every control as a tick on a line, and the source as a mark with its interval."""
    known = [*controls, effect, 0.0, *(v for v in (low, high) if v is not None)]
    first, last = min(known), max(known)
    span = (last - first) or 1.0

    def x(value: float) -> float:
        return round(_EDGE + (value - first) / span * (_WIDTH - 2 * _EDGE), 1)

    ticks = "".join(f"M{x(value)} 20v8" for value in controls)
    bar = Markup("")
    if low is not None and high is not None:
        bar = Markup('<path class="interval" d="M{} 12H{}"/>').format(x(low), x(high))
    said = f"{short(effect)} among {len(controls)} controls from {short(first)} to {short(last)}"
    return Markup(
        '<svg class="controls" viewBox="0 0 {w} {h}" role="img" aria-label="{said}">'
        '<path class="zero" d="M{zero} 6V32"/><path class="ticks" d="{ticks}"/>{bar}'
        '<circle class="mark" cx="{at}" cy="12" r="4"/>'
        '<text x="{e}" y="43">{first}</text><text x="{end}" y="43" text-anchor="end">{last}</text>'
        "</svg>"
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        said=said,
        zero=x(0.0),
        ticks=ticks,
        bar=bar,
        at=x(effect),
        e=_EDGE,
        end=_WIDTH - _EDGE,
        first=short(first),
        last=short(last),
    )


def kernel_plot(kernel: Sequence[Sequence[float]], scale: float) -> Markup:
    """Weights as squares: orange above zero, blue below, white at zero, strongest at `scale`."""
    cells = [
        Markup('<rect x="{}" y="{}" width="1" height="1" fill="{}"/>').format(
            x, y, _diverging(value / scale if scale else 0.0)
        )
        for y, row in enumerate(kernel)
        for x, value in enumerate(row)
    ]
    every = [value for row in kernel for value in row]
    said = (
        f"weights of {len(kernel)} by {len(kernel[0])} positions, from {short(min(every))} to "
        f"{short(max(every))}"
    )
    return Markup(
        '<svg class="kernel" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(len(kernel[0]), len(kernel), said, Markup("").join(cells))


def _diverging(share: float) -> str:
    """White at 0, orange at 1, blue at -1."""
    size = min(1.0, abs(share))
    end = (217, 107, 0) if share > 0 else (30, 100, 200)
    return "#" + "".join(f"{round(255 + (c - 255) * size):02x}" for c in end)
