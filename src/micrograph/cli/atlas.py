"""`micrograph atlas`: what a file holds, whether it is whole, and new files of what others hold."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import Progress

from micrograph.cli import output
from micrograph.errors import BadInput

_FILE = click.Path(path_type=Path)
_TARGET = click.option(
    "-o", "--output", "target", type=_FILE, required=True, metavar="NEW", help="The new atlas."
)
_MOST_LINES = 20


@click.group()
def command() -> None:
    """Check, mend, join and divide atlas files. What is given is never changed."""


@command.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def info(file: Path, as_json: bool) -> None:
    """Say what an atlas holds: model, nodes, results by lens, datasets."""
    from micrograph.atlas import Atlas

    atlas = Atlas.open(file)
    lenses = atlas.of_lenses()
    datasets = atlas.datasets()
    if as_json:
        output.write_json(
            {
                "file": str(file),
                "bytes": file.stat().st_size,
                "model": atlas.model.id,
                "digest": atlas.model.digest,
                "nodes": len(atlas.nodes),
                "lenses": {n: {"results": k, "nodes": of} for n, (k, of) in lenses.items()},
                "dictionaries": sorted(atlas.dictionaries),
                "datasets": {
                    d.name: {"digest": d.digest, "pictures": d.pictures} for d in datasets
                },
            }
        )
        return
    output.say(f"{atlas.model.id}, weights {atlas.model.digest[:12]}, {len(atlas.nodes)} nodes")
    output.say(f"{file.stat().st_size / 1e6:.1f} MB")
    if lenses:
        output.say("")
        output.table(
            ("lens", "results", "nodes"),
            ((name, str(k), str(of)) for name, (k, of) in lenses.items()),
        )
    for dataset in datasets:
        output.say(f"looked at {dataset.title}, {dataset.pictures} pictures")


@command.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def verify(files: tuple[Path, ...], as_json: bool) -> int:
    """Read all of FILES and hold them to their digests; name what is lost.

    The exit status is 1 where something is.
    """
    from micrograph.atlas import verify as account_of

    lost = 0
    told = []
    for file in files:
        with _steps(file.name) as on_step:
            account = account_of(file, on_step)
        lost += len(account.losses)
        if as_json:
            told.append(
                {
                    "file": str(file),
                    "results": account.results,
                    "samples": account.samples,
                    "lost": [{"what": one.what, "why": one.why} for one in account.losses],
                }
            )
            continue
        sound = f"{account.results} results and {account.samples} sample pictures are whole"
        output.say(f"{file}: {sound}")
        _tell_losses([str(one) for one in account.losses])
        if account.losses:
            output.say(f"  micrograph atlas repair {file} -o NEW.atlas  saves the rest")
    if as_json:
        output.write_json(told)
    return 1 if lost else 0


@command.command()
@click.argument("file", type=_FILE)
@_TARGET
def repair(file: Path, target: Path) -> None:
    """Write what is sound in FILE into a new atlas, and name what is lost."""
    _copy((file,), target, strict=False)


@command.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@_TARGET
def merge(files: tuple[Path, ...], target: Path) -> None:
    """Join atlases of one model into a new one; where several have a result, the first wins."""
    _copy(files, target)


@command.command()
@click.argument("file", type=_FILE)
@_TARGET
@click.option("-n", "--node", "nodes", multiple=True, help="A node whose results are kept.")
@click.option("-t", "--technique", multiple=True, help="A lens whose results are kept.")
def extract(file: Path, target: Path, nodes: tuple[str, ...], technique: tuple[str, ...]) -> None:
    """Write some results of FILE into a new atlas: of nodes, of lenses, or of both."""
    if not nodes and not technique:
        raise BadInput("nothing says what to keep; give --node, --technique or both")
    _copy((file,), target, nodes, technique)


@command.command()
@click.argument("file", type=_FILE)
@_TARGET
def compact(file: Path, target: Path) -> None:
    """Write a copy without slack, for shipping."""
    from micrograph.atlas import compact as write_compact

    size = write_compact(file, target)
    output.say(f"{target}: {size / 1e6:.1f} MB, was {file.stat().st_size / 1e6:.1f} MB")


def _copy(
    files: tuple[Path, ...],
    target: Path,
    nodes: tuple[str, ...] = (),
    techniques: tuple[str, ...] = (),
    strict: bool = True,
) -> None:
    from micrograph.atlas import copy

    with _steps(target.name) as on_step:
        account = copy(files, target, nodes, techniques, strict, on_step)
    output.say(f"{target}: {account.results} results, {account.samples} sample pictures")
    _tell_losses([str(one) for one in account.losses])
    if others := account.passed_over:
        count = f"{len(others)} damaged {'entry was' if len(others) == 1 else 'entries were'}"
        output.say(f"  {count} not asked for, and left out:")
        _tell_losses([str(one) for one in others], "damaged")


def _tell_losses(losses: list[str], word: str = "lost") -> None:
    for line in losses[:_MOST_LINES]:
        output.say(f"  {word}: {line}")
    if len(losses) > _MOST_LINES:
        output.say(f"  and {len(losses) - _MOST_LINES} more; verify --json names all")


@contextmanager
def _steps(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, on a terminal."""
    bar = Progress(console=output.console(), disable=not sys.stdout.isatty(), transient=True)
    with bar:
        task = bar.add_task(title)
        yield lambda done, of: bar.update(task, completed=done, total=of)
