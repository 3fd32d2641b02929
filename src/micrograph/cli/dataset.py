"""`micrograph dataset`: pictures that others publish; fetching one's own copy of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from micrograph.cli import output
from micrograph.published import Copy, copy_of, listing, listings

if TYPE_CHECKING:
    from micrograph.steps import StepHook


@click.group()
def command() -> None:
    """Get pictures that are published elsewhere, which atlases name without holding them."""


@command.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(name: str | None, as_json: bool) -> None:
    """Say how much of NAME (or of every published dataset) is here, and where it is from."""
    chosen = [listing(name)] if name else list(listings().values())
    facts = [_facts(copy_of(one)) for one in chosen]
    if as_json:
        output.write_json(facts)
        return
    for fact in facts:
        for key in ("name", "title", "here", "folder", "from", "terms"):
            output.say(f"{key:8}{fact[key]}")
        if fact["missing"] or fact["scaled"]:
            output.say(f"{'get it':8}{fact['command']}")


def _facts(copy: Copy) -> dict[str, object]:
    listed = copy.listing
    missing = len(copy.missing())
    scaled = len(copy.not_as_published()) - missing
    return {
        "name": listed.name,
        "title": listed.title,
        "here": f"{len(listed) - missing:,} of {len(listed):,} pictures"
        + (f", {scaled:,} of them scaled copies" if scaled else ""),
        "pictures": len(listed),
        "missing": missing,
        "scaled": scaled,
        "digest": listed.digest,
        "size": listed.size,
        "folder": str(copy.wanted_at),
        "from": listed.home,
        "terms": listed.terms,
        "command": listed.command,
    }


@command.command()
@click.argument("name")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Take them from this folder instead, found by their digests.",
)
def fetch(name: str, folder: Path | None) -> None:
    """Get your own copy of the published dataset NAME. Goes on where it was cut off.

    Every file is kept only if it is the one that our list names by its SHA-256.
    """
    copy = copy_of(listing(name))
    bar = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=output.console(),
        disable=not output.console().is_terminal,
        transient=True,
    )
    task = bar.add_task("pictures" if folder is None else "files", total=None)

    def on_step(step: int, steps: int) -> None:
        bar.update(task, completed=step, total=steps)

    if folder is None:
        output.say(copy.listing.terms)
    with bar:
        said = _fetched(copy, on_step) if folder is None else _imported(copy, folder, on_step)
    output.say(said)
    missing = len(copy.missing())
    if missing:
        output.say(
            f"{missing:,} of {len(copy.listing):,} are missing; `{copy.listing.command}` fetches "
            "them"
        )


def _fetched(copy: Copy, on_step: "StepHook") -> str:
    from micrograph.published.fetching import fetch_pictures

    found = fetch_pictures(copy, on_step=on_step)
    return f"{found.fetched:,} pictures fetched, {found.before:,} were here; {copy.wanted_at}"


def _imported(copy: Copy, folder: Path, on_step: "StepHook") -> str:
    from micrograph.published.importing import import_pictures

    found = import_pictures(copy, folder, on_step=on_step)
    others = f"; {found.others:,} other files were left alone" if found.others else ""
    return f"{found.taken:,} pictures taken, {found.before:,} were here{others}; {copy.wanted_at}"
