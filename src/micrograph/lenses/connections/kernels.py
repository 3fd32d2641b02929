"""Kernels as pictures: orange above zero, blue below, white at zero, one crisp cell a weight."""

from collections.abc import Sequence

from markupsafe import Markup

_ABOVE, _BELOW = (217, 85, 0), (28, 99, 176)


def mixed(share: float) -> tuple[int, int, int]:
    """The colour of a weight from -1 to 1 of the scale; beyond them the ends'."""
    share = min(max(share, -1.0), 1.0)
    r, g, b = (round(255 + (c - 255) * abs(share)) for c in (_ABOVE if share > 0 else _BELOW))
    return r, g, b


def colour(share: float) -> str:
    """The same as a text: "#d95500"."""
    return "#" + "".join(f"{c:02x}" for c in mixed(share))


def drawn(kernel: Sequence[Sequence[float]], scale: float) -> Markup:
    """A kernel as inline SVG; "" for none. `scale` is the weight that has the full colour."""
    rows, columns = len(kernel), max((len(row) for row in kernel), default=0)
    if not rows or not columns:
        return Markup("")
    cells = "".join(
        f'<rect x="{x}" y="{y}" width="1" height="1" fill="{colour(w / scale)}"/>'
        for y, row in enumerate(kernel)
        for x, w in enumerate(row)
        if scale and w
    )
    return Markup(
        f'<svg class="kernel" viewBox="0 0 {columns} {rows}" shape-rendering="crispEdges" '
        f'aria-hidden="true"><rect width="{columns}" height="{rows}" fill="#fff"/>{cells}</svg>'
    )


def scale_bar() -> Markup:
    """The colours from the lowest weight to the highest."""
    steps = 41
    cells = "".join(
        f'<rect x="{n}" y="0" width="1" height="1" fill="{colour(2 * n / (steps - 1) - 1)}"/>'
        for n in range(steps)
    )
    return Markup(
        f'<svg class="kernel-scale" viewBox="0 0 {steps} 1" preserveAspectRatio="none" '
        f'shape-rendering="crispEdges" aria-hidden="true">{cells}</svg>'
    )
