"""Writing to people and to machines."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text


def console() -> Console:
    """Standard output as it is now: its width, whether it shows colours."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def say(line: str, style: str = "") -> None:
    """One line for people, without markup; the terminal wraps it."""
    console().print(Text(line, style=style), soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table; where the terminal is too narrow for it, a few lines for each row instead."""
    rows = [tuple(row) for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    if console().is_terminal and sum(widths) + 2 * (len(widths) - 1) > console().width:
        for first, *others in rows:
            say(first, style="bold")
            for name, cell in zip(columns[1:], others, strict=True):
                if cell:
                    say(f"  {name:{max(map(len, columns))}}  {cell}")
        return
    for number, row in enumerate((columns, *rows)):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip(), style="" if number else "bold")


def write_json(value: Any) -> None:
    """For machines: JSON on standard output and nothing else."""
    print(json.dumps(value, indent=2, ensure_ascii=not shows_all_signs()))


def shows_all_signs() -> bool:
    """Whether standard output can show every sign; else JSON has escapes of its own for them."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
