"""How often a unit takes which values, and short lists of amounts."""

import math
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from markupsafe import Markup

from micrograph.parts.escaping import markup
from micrograph.parts.plots.svg import (
    TEXT,
    WIDTH,
    line,
    path,
    place,
    places,
    plot,
    short,
    span,
    text,
)

HEIGHT = 180
LEFT, RIGHT, BOTTOM = 40, 12, 34
ROW = 22


def histogram(
    counts: Sequence[float],
    low: float,
    high: float,
    marks: Sequence[tuple[float, str]] = (),
    *,
    title: str = "",
    x_title: str = "",
    unit: str = "",
) -> Markup:
    """Bars for equal bins from `low` to `high`, as high as the logarithm of their counts.

    `marks` are values with a word each (quantiles, a threshold), shown as lines from above; marks
    outside are left out. A count that is no positive number has no bar.
    """
    good = [c if math.isfinite(c) and c > 0 else 0 for c in counts]
    bottom = HEIGHT - BOTTOM
    decades = max(1, math.ceil(math.log10(max([*good, 1]) * 1.0001)))
    first, last = (low, high) if high > low else span([low], zero=False)

    def across(value: float) -> float:
        return LEFT + (value - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    flags = _flags([(across(v), w) for v, w in sorted(marks) if first <= v <= last])
    top = 10 + (TEXT + 3) * (1 + max((row for _, _, row in flags), default=0))

    log10, reach, high_up = math.log10, decades - math.log10(0.5), bottom - top

    def up(count: float) -> float:
        # One observation still shows: the scale starts at half of it.
        return bottom - log10(count / 0.5) / reach * high_up

    parts: list[object] = []
    for decade in range(0, decades + 1, max(1, decades // 3)):
        y = up(10**decade)
        parts.append(line(LEFT, y, WIDTH - RIGHT, y, "grid"))
        parts.append(text(LEFT - 6, y + 4, _power(decade), anchor="end"))
    tops = places([up(c) for c in good if c])
    wide, starts = _bins(len(good))
    end = f"h{wide:.2f}V{bottom}z"
    begun = [start for start, c in zip(starts, good, strict=True) if c]
    data = "".join([f"{start}{y}{end}" for start, y in zip(begun, tops, strict=True)])
    parts.append(markup(f'<path class="plot-bars" d="{data}" fill="currentColor" opacity=".5"/>'))
    parts.append(line(LEFT, bottom, WIDTH - RIGHT, bottom))
    for x, word, row in flags:
        y = 4 + TEXT + row * (TEXT + 3)
        parts.append(path(f"M{place(x)} {place(y + 3)}V{bottom}", "mark"))
        shift, anchor = (-4, "end") if _leftward(x) else (4, "start")
        parts.append(text(x + shift, y, word, quiet=False, anchor=anchor))
    for value, anchor in ((first, "start"), (last, "end")):
        parts.append(text(across(value), bottom + TEXT + 3, short(value, unit), anchor=anchor))
    if first < 0 < last:
        parts.append(line(across(0), top, across(0), bottom, "baseline"))
        if min(across(0) - LEFT, WIDTH - RIGHT - across(0)) > 40:
            parts.append(text(across(0), bottom + TEXT + 3, "0", anchor="middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, bottom + 2 * TEXT + 6, x_title, anchor="middle"))
    words = f"{short(sum(good))} values from {short(low, unit)} to {short(high, unit)}, "
    words += "heights logarithmic"
    words += "".join(f"; {word} {short(value, unit)}" for value, word in marks) + "."
    return plot("histogram", HEIGHT, parts, title, words)


@lru_cache(64)
def _bins(count: int) -> tuple[float, list[str]]:
    """The width of each of so many bars, and where the outline of each begins."""
    wide = (WIDTH - LEFT - RIGHT) / max(1, count)
    return wide, [f"M{LEFT + k * wide:.2f} {HEIGHT - BOTTOM}V" for k in range(count)]


def _power(decade: int) -> str:
    """A power of ten: 1, 10, 100, 10³, ..."""
    if decade < 3:
        return str(10**decade)
    return "10" + str(decade).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _leftward(x: float) -> bool:
    """Whether the word at a mark stands to the left of it: there it has room."""
    return x > (LEFT + WIDTH) / 2


def _flags(marks: Sequence[tuple[float, str]]) -> list[tuple[float, str, int]]:
    """Each mark (x, word) with a row for its word; four rows at most.

    A word crosses no line: those that it reaches over begin below it.
    """
    found = []
    for leftward in (False, True):
        row, end = 0, None
        side = [mark for mark in marks if _leftward(mark[0]) == leftward]
        for x, word in sorted(side, reverse=leftward):
            ahead = -x if leftward else x  # grows from one mark to the next
            row = 0 if end is None or ahead > end else min(row + 1, 3)
            width = len(word) * TEXT * 0.58 + 10
            end = max(ahead + width, end or ahead + width) if row else ahead + width
            found.append((x, word, row))
    return found


def bars(rows: Sequence[tuple[str, float, str]], *, title: str = "", unit: str = "") -> Markup:
    """(label, value, address or "") row by row; negative values run to the left.

    Only addresses of this site and of http(s) become links.
    """
    values = [value if math.isfinite(value) else 0.0 for _, value, _ in rows]
    low, high = span(values)
    names = 136
    start = names + (44 if low < 0 else 4)
    reach = WIDTH - start - 44

    def across(value: float) -> float:
        return start + (value - low) / (high - low) * reach

    parts: list[object] = []
    for k, ((label, given, url), value) in enumerate(zip(rows, values, strict=True)):
        y = k * ROW
        cut = label if len(label) <= 23 else label[:22] + "…"
        name = text(0, y + 15, cut, quiet=False)
        name = Markup("<g><title>{}</title>{}</g>").format(label, name) if cut != label else name
        if url and urlsplit(url).scheme in ("", "http", "https"):
            name = Markup('<a href="{}" text-decoration="underline">{}</a>').format(url, name)
        parts.append(name)
        x0, x1 = sorted((across(0), across(value)))
        parts.append(
            Markup(
                f'<rect class="plot-bars" x="{x0:.1f}" y="{y + 5}" width="{max(x1 - x0, 0.5):.1f}" '
                'height="13" fill="currentColor" opacity=".5"/>'
            )
        )
        beside, anchor = (x1 + 5, "start") if value >= 0 else (x0 - 5, "end")
        shown = short(given, unit) if math.isfinite(given) else "no number"
        parts.append(text(beside, y + 15, shown, anchor=anchor))
    words = "; ".join(
        f"{label} {short(v, unit)}" for (label, _, _), v in zip(rows[:10], values, strict=False)
    )
    return plot("bars", max(1, len(rows)) * ROW, parts, title, words or "No values.")
