"""How a unit responds by direction."""

import math
from collections.abc import Sequence
from functools import cache, lru_cache

from markupsafe import Markup

from micrograph.parts.plots.svg import (
    TEXT,
    dot,
    finite,
    line,
    path,
    plot,
    polyline,
    short,
    span,
    text,
)

SIZE = 280
RADIUS = 104


def polar(
    angles: Sequence[float],
    values: Sequence[float],
    baseline: float | None = None,
    *,
    period: int = 360,
    title: str = "",
    unit: str = "",
) -> Markup:
    """Responses around a circle, 0° to the right and 90° up; further out is more.

    `angles` in degrees, rising, over one `period`: a property that comes back after 180° (a line
    has no front) is drawn twice. The centre is 0, or the lowest value if that is negative; a dashed
    circle is the response to plain grey. Values that are no numbers are left out.
    """
    known = finite([baseline] if baseline is not None else [])
    low, high = span([*values, *known])
    middle = SIZE / 2
    repeats = max(1, round(360 / period))

    def out(value: float) -> float:
        return (value - low) / (high - low) * RADIUS

    def at(angle: float, value: float) -> tuple[float, float]:
        return (
            middle + out(value) * math.cos(math.radians(angle)),
            middle - out(value) * math.sin(math.radians(angle)),
        )

    outs = [out(v) for v in values] * repeats
    ways = _ways(tuple(angles), period, repeats)
    around = [(middle + o * x, middle - o * y) for o, (x, y) in zip(outs, ways, strict=True)]

    parts: list[object] = [_rose()]
    if low < 0:
        parts.append(_circle((0 - low) / (high - low) * RADIUS, "axis"))
    for value in known:
        parts.append(_circle((value - low) / (high - low) * RADIUS, "baseline"))
    data = polyline(around, closed=True)
    parts.append(path(data, "curve", ' fill-opacity=".12" style="fill:currentColor"'))
    x, y = at(22.5, high)
    parts.append(text(x + 4, y, short(high, unit)))
    found = [(v, a) for a, v in zip(angles, values, strict=True) if math.isfinite(v)]
    if not found:
        return plot("polar", SIZE, parts, title, "No values.", SIZE)
    best, angle = max(found, key=lambda pair: pair[0])
    if best == min(found)[0]:
        return plot("polar", SIZE, parts, title, f"The same all round: {short(best, unit)}.", SIZE)
    for k in range(repeats):
        parts.append(dot(*at(angle + k * period, best)))
    words = f"Strongest at {short(angle, '°')}, with {short(best, unit)}"
    words += f"; plain grey gives {short(known[0], unit)}." if known else "."
    return plot("polar", SIZE, parts, title, words, SIZE)


@lru_cache(256)
def _ways(angles: tuple[float, ...], period: int, repeats: int) -> list[tuple[float, float]]:
    """Cosine and sine of each angle, in all its repeats: the same for all units."""
    turns = [math.radians(a + k * period) for k in range(repeats) for a in angles]
    return [(math.cos(turn), math.sin(turn)) for turn in turns]


@cache
def _rose() -> Markup:
    """Circles, spokes and what they are called."""
    middle = SIZE / 2

    def at(angle: float, out: float) -> tuple[float, float]:
        turn = math.radians(angle)
        return middle + out * math.cos(turn), middle - out * math.sin(turn)

    parts = [_circle(RADIUS, "grid"), _circle(RADIUS / 2, "grid")]
    for spoke in range(0, 360, 45):
        parts.append(line(middle, middle, *at(spoke, RADIUS), kind="grid"))
    for spoke in range(0, 360, 90):
        x, y = at(spoke, RADIUS * 1.06)
        anchor = {0: "start", 180: "end"}.get(spoke, "middle")
        drop = {90: -1, 270: TEXT - 1}.get(spoke, 4)
        parts.append(text(x, y + drop, f"{spoke}°", anchor=anchor))
    return Markup("").join(parts)


def _circle(radius: float, kind: str) -> Markup:
    r = f"{max(radius, 0):.1f}"
    data = f"M{SIZE / 2} {SIZE / 2}m-{r} 0a{r} {r} 0 1 0 {2 * max(radius, 0):.1f} 0"
    return path(data + f"a{r} {r} 0 1 0 -{2 * max(radius, 0):.1f} 0", kind)
