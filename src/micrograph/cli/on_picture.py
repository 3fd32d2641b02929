"""What the commands share that ask about units on one picture: the place, and where answers go."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from micrograph.address import parse_units
from micrograph.cli import output
from micrograph.errors import BadInput, short
from micrograph.files import write_atomically


def split_place(text: str) -> tuple[str, str, str]:
    """`MODEL/NODE/UNITS` in its three parts; MODEL may be as `render` takes it, slashes and all.

    Raises BadInput for another form.
    """
    parts = text.rsplit("/", 2)
    if len(parts) != 3 or not all(parts) or not parts[2][0].isdigit():
        raise BadInput(
            f"{short(text)} is no unit; expected MODEL/NODE/UNIT, such as toytown/mixed4a/3"
        )
    return parts[0], parts[1], parts[2]


def units_of(text: str, count: int) -> list[int]:
    """Units as `render` takes them, 3 or 3,7 or 0-5, or joined as a sum: 3+7."""
    return parse_units(text.replace("+", ","), count)


def write_answer(text: str, to: Path | None) -> None:
    """An answer for machines, into a file or on standard output."""
    if to is None:
        sys.stdout.write(text)
        return
    write_atomically(to, [text.encode()])
    output.say(f"written to {to}")


def as_text(value: Any) -> str:
    """JSON for a file or standard output."""
    ascii_only = not output.shows_all_signs()
    return json.dumps(value, indent=1, ensure_ascii=ascii_only, allow_nan=False) + "\n"


picture_option = click.option(
    "--picture",
    "-p",
    required=True,
    metavar="FILE",
    help="The picture: a file, or the name of one that ships, such as car or owl.",
)
out_option = click.option(
    "--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write into a file."
)
