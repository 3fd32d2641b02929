"""What all plots share: SVG written so that text is escaped, numbers short, colours the page's.

Plots are drawn in the page's own ink (`currentColor`) on nothing, so they suit light and dark; the
one mark of position is the page's lamp. They are 320 px wide at most and shrink with their place.
"""

import math
from collections.abc import Iterable

from markupsafe import Markup, escape

from micrograph.parts.escaping import escaped, markup

WIDTH = 320
TEXT = 11
"""Size of the text in px."""

MINUS = "\N{MINUS SIGN}"

_COLOURS = (
    "1d0a44",
    "1d134c",
    "1d1c54",
    "1b245c",
    "192c63",
    "153469",
    "0e3c6f",
    "064574",
    "074d76",
    "095578",
    "0b5d7c",
    "0c657f",
    "0e6d82",
    "107586",
    "127d89",
    "13858b",
    "158e8d",
    "1c968f",
    "2e9d8f",
    "3ea58f",
    "4dac8f",
    "5cb28f",
    "6bb98f",
    "7ac08e",
    "89c68f",
    "98cc8f",
    "a7d290",
    "b6d791",
    "c5dd93",
    "d4e295",
    "e3e799",
    "f1ec9d",
)
"""Dark blue to light yellow. Equal steps of lightness, which no colour blindness hides: OKLCH
lightness 0.22 to 0.93, hue 290° to 105°, chroma 0.1 where a screen shows it."""


_SCALE = tuple("#" + c for c in _COLOURS)
_LAST = len(_SCALE) - 1


def colour(share: float) -> str:
    """The colour of a value, 0 (lowest) to 1 (highest) of the scale; beyond them the ends'."""
    if 0 <= share <= 1:
        return _SCALE[round(share * _LAST)]
    return _SCALE[_LAST if share > 1 else 0]


def colours() -> list[str]:
    """All colours of the map, from low to high."""
    return list(_SCALE)


def short(value: float, unit: str = "") -> str:
    """A number of three figures at most: 0.25, 12.5, 1 340, 2.1e7."""
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        text = f"{value:.1e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    elif size >= 100:
        text = f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    else:
        text = f"{value:.3g}"
    gap = "" if unit in ("", "°", "%") else "\N{NARROW NO-BREAK SPACE}"
    return text.replace("-", MINUS) + gap + unit


def place(value: float) -> str:
    """A coordinate: tenths of a pixel are enough."""
    return _without_zeros(f"{value:.1f}")


def places(values: Iterable[float]) -> list[str]:
    """Coordinates, as `place` writes each."""
    return _without_zeros(" ".join([f"{value:.1f}" for value in values])).split()


def _without_zeros(tenths: str) -> str:
    """Numbers of one decimal place each, without those that are 0."""
    return tenths.replace("-0.0", "0").replace(".0", "")


def finite(values: Iterable[float]) -> list[float]:
    """Those that are numbers."""
    there = list(values)
    # Nearly always all of them: a sum shows that in a tenth of the time.
    return there if math.isfinite(sum(there)) else [v for v in there if math.isfinite(v)]


def span(values: Iterable[float], *, zero: bool = True) -> tuple[float, float]:
    """Lowest and highest, 0 among them if `zero`; never equal, whatever the values."""
    found = finite(values) or [0.0]
    low, high = min(found), max(found)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if high > low else (low, low + 1.0)


def text(
    x: float,
    y: float,
    words: object,
    *,
    anchor: str = "start",
    quiet: bool = True,
    bold: bool = False,
) -> Markup:
    """Words at a place; `anchor` is start, middle or end."""
    # A page has hundreds of these: `Markup.format` takes ten times as long.
    faint, weight = ' opacity=".66"' * quiet, ' font-weight="600"' * bold
    shown = escaped(words) if type(words) is str else escape(words)
    return markup(
        f'<text x="{place(x)}" y="{place(y)}" text-anchor="{anchor}"{faint}{weight} '
        f'fill="currentColor">{shown}</text>'
    )


def line(x0: float, y0: float, x1: float, y1: float, kind: str = "axis") -> Markup:
    """A thin straight line: an "axis", a "grid" line, or the dashed "baseline"."""
    return path(f"M{place(x0)} {place(y0)}L{place(x1)} {place(y1)}", kind)


_STROKES = {
    "axis": 'stroke="currentColor" opacity=".45"',
    "grid": 'stroke="currentColor" opacity=".16"',
    "baseline": 'stroke="currentColor" opacity=".66" stroke-dasharray="3 3"',
    "curve": 'stroke="currentColor" stroke-width="1.75" stroke-linejoin="round"',
    "mark": 'style="stroke:var(--lamp,currentColor)" stroke-width="2"',
}


def path(data: str, kind: str, extra: str = "") -> Markup:
    """A stroked path of one of the kinds; `data` and `extra` are the caller's own markup."""
    return markup(f'<path class="plot-{kind}" d="{data}" fill="none" {_STROKES[kind]}{extra}/>')


def dot(x: float, y: float, radius: float = 4) -> Markup:
    """The mark of position."""
    return markup(
        f'<circle class="plot-best" cx="{place(x)}" cy="{place(y)}" r="{radius}" '
        'style="fill:var(--lamp,currentColor)"/>'
    )


def polyline(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    """Path data through points; a point that is no number leaves a gap."""
    parts, sign, gap, isfinite = [], "M", False, math.isfinite
    for x, y in points:
        if isfinite(x) and isfinite(y):
            parts.append(f"{sign}{x:.1f} {y:.1f}")
            sign = "L"
        else:
            sign, gap = "M", True
    return _without_zeros("".join(parts)) + ("Z" if closed and parts and not gap else "")


def plot(
    kind: str,
    height: float,
    parts: Iterable[object],
    title: str,
    description: str,
    width: float = WIDTH,
) -> Markup:
    """The finished plot. What it shows is said in words for those who cannot see it."""
    label = f"{title}. {description}" if title else description
    wide, high = place(width), place(height)
    drawn = "".join([part if isinstance(part, Markup) else escape(part) for part in parts])
    return markup(
        f'<svg class="plot plot-{escaped(kind)}" viewBox="0 0 {wide} {high}" width="{wide}" '
        f'height="{high}" role="img" aria-label="{escaped(label)}" font-size="{TEXT}" '
        f'style="max-width:100%;height:auto"><title>{escaped(title or description)}</title>'
        f"<desc>{escaped(description)}</desc>{drawn}</svg>"
    )
