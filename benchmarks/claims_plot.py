"""Every claim of the study of `claims.py` as a dot, by its strength.

python benchmarks/claims_plot.py claims.json --out docs/claims-calibration.svg
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from claims_summary import TRUTHS, Row

KINDS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "carried": ("#1a7f5a", lambda r: r["kind"] == "true" and TRUTHS["carried"](r)),
    "needed only": (
        "#5b8fd0",
        lambda r: r["kind"] == "true" and not TRUTHS["carried"](r) and _needed(r),
    ),
    "shown only": (
        "#9a7fc7",
        lambda r: r["kind"] == "true" and not TRUTHS["carried"](r) and not _needed(r),
    ),
    "controls": ("#d0802a", lambda r: r["kind"] == "control"),
    "random": ("#8a8a8a", lambda r: r["kind"] == "random"),
}
LEFT, WIDE, ROW, TOP, DOT = 150, 560, 34, 34, 2.6
LOW, HIGH, BIN = -3.2, 3.6, 0.08


def _needed(row: Row) -> bool:
    return TRUTHS["needed"]({**row, "plain": True})


def _x(strength: float) -> float:
    return LEFT + (min(max(strength, LOW), HIGH) - LOW) / (HIGH - LOW) * WIDE


def drawn(studies: dict[str, Any]) -> str:
    """The plot as SVG."""
    parts, y = [], float(TOP)
    for name, study in studies.items():
        parts.append(f'<text x="12" y="{y}" font-weight="600">{name}</text>')
        for kind, (colour, holds) in KINDS.items():
            y += ROW
            rows = [r for r in study["rows"] if r["ps"] and holds(r)]
            parts.append(
                f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{kind} ({len(rows)})</text>'
                f'<line x1="{LEFT}" x2="{LEFT + WIDE}" y1="{y}" y2="{y}" stroke="#e4e4e4"/>'
            )
            parts.extend(_dots(rows, y, colour))
        y += ROW + 14
    axis = "".join(
        f'<line x1="{_x(k)}" x2="{_x(k)}" y1="{TOP}" y2="{y - 20}" stroke="#ddd" '
        f'stroke-dasharray="2 3"/><text x="{_x(k)}" y="{y - 4}" text-anchor="middle">{k}</text>'
        for k in range(-3, 4)
    )
    high = y + 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDE + 20} {high}" '
        f'width="{LEFT + WIDE + 20}" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="#222"><rect width="100%" height="100%" fill="#fff"/>{axis}{"".join(parts)}'
        f'<text x="{_x(0)}" y="{y + 20}" text-anchor="middle">strength (0 is chance); '
        f"filled: supported, ring: not</text></svg>\n"
    )


def _dots(rows: list[Row], y: float, colour: str) -> list[str]:
    """Dots beside each other in `BIN`s, above and below the line in turns."""
    at: Counter[int] = Counter()
    found = []
    for row in sorted(rows, key=lambda r: r["strength"]):
        place = round(row["strength"] / BIN)
        number, at[place] = at[place], at[place] + 1
        up = (number + 1) // 2 * (-1 if number % 2 else 1) * DOT * 2
        fill = colour if row["verdict"] == "supports" else "#fff"
        found.append(
            f'<circle cx="{_x(place * BIN):.1f}" cy="{y + up:.1f}" r="{DOT}" fill="{fill}" '
            f'stroke="{colour}"><title>{escape(row["claim"])} {row["about"]}</title></circle>'
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    studies: dict[str, Any] = {}
    for file in args.studies:
        studies |= json.loads(file.read_text())
    args.out.write_text(drawn(studies))


if __name__ == "__main__":
    main()
