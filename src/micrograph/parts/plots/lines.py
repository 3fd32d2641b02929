"""How a unit responds along one property."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from micrograph.parts.plots.svg import (
    TEXT,
    WIDTH,
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

HEIGHT = 200
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 12, 36
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


def lines(
    x: Sequence[float],
    ys: Mapping[str, Sequence[float]],
    baseline: float | None = None,
    *,
    title: str = "",
    x_title: str = "",
    x_unit: str = "",
    unit: str = "",
) -> Markup:
    """Up to four lines over `x` (rising), told apart by their dashes and named below the plot.

    x runs in equal ratios where its values span more than a factor of eight. A dashed line across
    is the response to plain grey. Values that are no numbers leave a gap. Raises ValueError for
    more than four lines.
    """
    if len(ys) > len(_DASHES):
        raise ValueError(f"{len(ys)} lines given; a reader can tell {len(_DASHES)} apart")
    known = finite([baseline] if baseline is not None else [])
    low, high = span([v for values in ys.values() for v in values] + known)
    by_ratio = len(x) > 1 and min(x) > 0 and x[-1] / x[0] > 8
    steps = [math.log(v) for v in x] if by_ratio else list(x)
    first, last = span(steps, zero=False)
    bottom = HEIGHT - BOTTOM

    def across(step: float) -> float:
        return LEFT + (step - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def up(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - TOP)

    parts: list[object] = []
    for value in (low, (low + high) / 2, high):
        parts.append(line(LEFT, up(value), WIDTH - RIGHT, up(value), "grid"))
        parts.append(text(LEFT - 6, up(value) + 4, short(value, unit), anchor="end"))
    parts.append(line(LEFT, up(max(low, 0.0)), WIDTH - RIGHT, up(max(low, 0.0))))
    for k in sorted({0, len(x) // 3, 2 * len(x) // 3, len(x) - 1} if len(x) else ()):
        anchor = "end" if k == len(x) - 1 and k else "middle"
        parts.append(
            text(
                across(steps[k]) + (anchor == "end") * 8,
                bottom + TEXT + 4,
                short(x[k]),
                anchor=anchor,
            )
        )
    parts.append(
        text(
            (LEFT + WIDTH - RIGHT) / 2,
            bottom + 2 * TEXT + 8,
            f"{x_title}, {x_unit}" if x_unit else x_title,
            anchor="middle",
        )
    )
    for value in known:
        parts.append(line(LEFT, up(value), WIDTH - RIGHT, up(value), "baseline"))
    best: tuple[float, int, str] | None = None
    for (name, values), dash in zip(ys.items(), _DASHES, strict=False):
        points = zip(steps, values, strict=True)
        data = polyline([(across(s), up(v)) for s, v in points])
        parts.append(path(data, "curve", f' stroke-dasharray="{dash}"' if dash else ""))
        for k, value in enumerate(values):
            if math.isfinite(value) and (best is None or value > best[0]):
                best = (value, k, name)
    height = HEIGHT
    if len(ys) > 1:
        for name, dash in zip(ys, _DASHES, strict=False):
            height += TEXT + 7
            y = height - 6
            parts.append(
                path(f"M{LEFT} {y - 4}h28", "curve", f' stroke-dasharray="{dash}"' if dash else "")
            )
            parts.append(text(LEFT + 36, y, name, quiet=False))
    if best is None:
        return plot("lines", height, parts, title, "No values.")
    value, k, name = best
    if value == min(finite(v for values in ys.values() for v in values)):
        return plot("lines", height, parts, title, f"The same everywhere: {short(value, unit)}.")
    parts.append(dot(across(steps[k]), up(value)))
    where = f"{name}, " if len(ys) > 1 else ""
    words = f"Strongest for {where}{x_title} {short(x[k], x_unit)}, with {short(value, unit)}"
    words += f"; plain grey gives {short(known[0], unit)}." if known else "."
    return plot("lines", height, parts, title, words)
