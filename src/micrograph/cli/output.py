"""Writing to people and to machines."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def console() -> Console:
    """Standard output as it is now: its width, whether it shows colours."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def say(line: str, style: str = "") -> None:
    """One line for people, without markup; the terminal wraps it."""
    console().print(Text(line, style=style), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table. The first column stays whole; others fold where the terminal is narrow."""
    rows = list(rows)
    out = console()
    if not out.is_terminal:  # into a file or a pipe every row is one line
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row in (columns, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells).rstrip())
        return
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, name in enumerate(columns):
        grid.add_column(name, no_wrap=number == 0, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    out.print(grid)


def write_json(value: Any) -> None:
    """For machines: JSON on standard output and nothing else."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
