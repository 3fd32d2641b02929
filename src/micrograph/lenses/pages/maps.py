"""Small maps of numbers, to be laid over a picture."""

import re
from dataclasses import dataclass
from typing import Any

MOST = 4096
"""Cells above which a map is not drawn."""


@dataclass(frozen=True)
class Heat:
    """`values`: rows of numbers 0..1 (or -1..1 for signed ones); empty where there are none."""

    values: list[list[float]]
    signed: bool = False

    @property
    def text(self) -> str:
        """As a script reads it: rows apart by ";", values by ","."""
        return ";".join(",".join(_short(v) for v in row) for row in self.values)


def heat(given: Any, signed: bool = False) -> Heat:
    """A map from untrusted data, scaled so that the strongest cell is 1 where it is above 1."""
    rows = given if isinstance(given, list) else []
    fine = (
        rows
        and all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows)
        and rows[0]
        and len(rows) * len(rows[0]) <= MOST
        and all(isinstance(v, int | float) and abs(v) < 1e30 for row in rows for v in row)
    )
    if not fine:
        return Heat([], signed)
    most = max(abs(v) for row in rows for v in row)
    scale = most if most > 1 or signed else 1.0
    return Heat([[v / (scale or 1) for v in row] for row in rows], signed)


def _short(value: float) -> str:
    return re.sub(r"\.?0+$", "", f"{value:.3f}") or "0"
