"""How many units each node has, from input to output."""

from collections.abc import Sequence

from markupsafe import Markup

from micrograph.parts.escaping import escaped, markup
from micrograph.parts.plots.svg import TEXT, WIDTH, line, place, plot, text

HEIGHT = 84
TOP, BOTTOM = TEXT + 7, TEXT + 7


def depth(rows: Sequence[tuple[str, int]]) -> Markup:
    """A column for each (node, units), as high as its units."""
    if not rows:
        return Markup("")
    name, most = max(rows, key=lambda row: row[1])
    step = WIDTH / len(rows)
    bottom = HEIGHT - BOTTOM
    parts: list[object] = []
    for k, (node, units) in enumerate(rows):
        high = (bottom - TOP) * units / max(1, most)
        parts.append(
            markup(
                f'<g><title>{escaped(node)}: {units} units</title><rect class="plot-bars" '
                f'x="{k * step:.2f}" y="{place(bottom - high)}" width="{step * 0.8:.2f}" '
                f'height="{place(high)}" fill="currentColor" opacity=".5"/></g>'
            )
        )
    peak = (next(k for k, row in enumerate(rows) if row[0] == name) + 0.4) * step
    anchor = "start" if peak < 60 else "end" if peak > WIDTH - 60 else "middle"
    parts.append(
        text(peak, TEXT, f"{most:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"), anchor=anchor)
    )
    parts.append(line(0, bottom, WIDTH, bottom))
    parts.append(text(0, HEIGHT - 4, _short(rows[0][0])))
    if len(rows) > 1:
        parts.append(text(WIDTH, HEIGHT - 4, _short(rows[-1][0]), anchor="end"))
    words = f"From {rows[0][1]} at {rows[0][0]} to {rows[-1][1]} at {rows[-1][0]}; most, {most}, "
    return plot("depth", HEIGHT, parts, "Units of each node", words + f"at {name}.")


def _short(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"
