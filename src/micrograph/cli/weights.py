"""`micrograph weights`: where weights are; fetching, importing and verifying them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from micrograph.cards import card
from micrograph.cli import output
from micrograph.cli.model_options import ModelOptions, warn_of_input
from micrograph.errors import BadInput
from micrograph.models import ModelCard, WeightsSource, cards
from micrograph.weights import store

if TYPE_CHECKING:
    from micrograph.steps import StepHook


@click.group()
def command() -> None:
    """Find, fetch, import and verify the weights of models."""


_FILE = click.Path(path_type=Path)


@command.command()
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(model: str | None, as_json: bool) -> None:
    """Say where the weights of MODEL (or of all models) are, and where they can be had."""
    chosen = [card(model)] if model else list(cards().values())
    if as_json:
        output.write_json([_as_json(c) for c in chosen])
    elif model:
        _explain(chosen[0])
    else:
        output.table(("model", "weights"), ((c.id, _status_line(c)) for c in chosen))


def _status_line(c: ModelCard) -> str:
    if c.unreleased:
        return "never released"
    path = store.status(c).path
    if path is not None:
        return str(path)
    source = _fetched_from(c)
    if source is None:
        return "missing; import them"
    return f"missing; fetch them ({_size(source.size)})" if source.size else "missing; fetch them"


def _fetched_from(c: ModelCard) -> WeightsSource | None:
    """The source that `fetch` tries first."""
    from micrograph.weights.fetching import reason_not_fetched

    return next((s for s in c.sources if not reason_not_fetched(s)), None)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size else "of unknown size"


def _as_json(c: ModelCard) -> dict[str, object]:
    from micrograph.weights.fetching import reason_not_fetched

    found = store.status(c)
    return {
        "model": c.id,
        "path": None if found.path is None else str(found.path),
        "digest": c.digest,
        "unreleased": c.unreleased,
        "import_path": str(found.wanted_at),
        "forms": list(dict.fromkeys(v.form for v in c.conversions)),
        "sources": [_source_json(s) | {"not_fetched": reason_not_fetched(s)} for s in c.sources],
        "extras": [_source_json(s) for s in c.extras],
    }


def _source_json(s: WeightsSource) -> dict[str, object]:
    return {
        "title": s.title,
        "url": s.url,
        "note": s.note,
        "sha256": s.sha256,
        "size": s.size,
        "member": s.member,
        "licence": s.licence,
    }


def _explain(c: ModelCard) -> None:
    from micrograph.weights.fetching import by_hand, reason_not_fetched

    found = store.status(c)
    output.say(f"model     {c.id}")
    if c.unreleased:
        output.say(f"weights   none: {c.unreleased}")
        return
    output.say(f"weights   {found.path or 'missing'}")
    if c.digest:
        output.say(f"digest    {c.digest}")
    output.say(f"licence   {c.licence}")
    if c.conversions:
        forms = ", ".join(dict.fromkeys(v.form for v in c.conversions))
        output.say(f"import    {forms}, or any form with our names")
    for kind, sources in (("source", c.sources), ("extra", c.extras)):
        for s in sources:
            output.say(f"{kind:9} {s.title}" + (f" ({_size(s.size)})" if s.size else ""))
            reason = reason_not_fetched(s)
            for line in (
                s.url,
                s.licence and f"licence: {s.licence}",
                s.note,
                reason and f"not fetched: {reason}",
            ):
                if line:
                    output.say(f"          {line}")
    if found.path is None:
        output.say("")
        source = _fetched_from(c)
        if source:
            output.say(f"`micrograph weights fetch {c.id}` gets it from {source.url}")
        output.say(by_hand(c))


@command.command()
@click.argument("model")
@click.option("--keep", is_flag=True, help="Keep the original file once it is converted.")
@click.option("--http", is_flag=True, help="Also over plain http, where nothing proves its origin.")
def fetch(model: str, keep: bool, http: bool) -> None:
    """Download, verify and convert the weights of MODEL. Goes on where it was cut off."""
    chosen = card(model)
    from micrograph.weights.fetching import fetch_weights

    console = output.console()
    bar = Progress(
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )

    def begin(source: WeightsSource) -> "StepHook":
        output.say(f"fetching {source.url} ({_size(source.size)})")
        task = bar.add_task(source.url.rpartition("/")[2][:40], total=source.size or None)
        return lambda done, size: bar.update(task, completed=done, total=size or None)

    with bar:
        found = fetch_weights(chosen.id, keep=keep, allow_http=http, begin=begin)
    if found.source is None:
        output.say(f"{chosen.id}: its weights are here already: {found.path}")
    else:
        output.say(f"{chosen.id}: converted from {found.form} and kept as {found.path}")
        output.say(_digest(chosen, found.digest))
        output.say(f"source: {found.source.title}; licence: {found.source.licence or 'not stated'}")
    if found.original:
        output.say(f"the original is kept as {found.original}")
    for path in found.extras:
        output.say(f"further file: {path}")


@command.command("import")
@click.argument("model")
@click.argument("file", type=_FILE)
@click.option("--member", default="", help="The weights file's name inside an archive.")
def import_(model: str, file: Path, member: str) -> None:
    """Verify, convert and keep FILE for MODEL, whatever form its weights are published in.

    FILE may be a TensorFlow checkpoint's prefix, or an archive that holds the weights.
    """
    chosen = card(model)
    from micrograph.weights.importing import import_weights

    kept = import_weights(chosen.id, file, member)
    how = f"converted from {kept.form}" if kept.converted else f"read from {kept.form}"
    output.say(f"{chosen.id}: {how} and kept as {kept.path}")
    output.say(_digest(chosen, kept.digest))


@command.command()
@click.argument("model")
@click.argument("file", type=_FILE, required=False)
@click.option("--images", metavar="D", help="Pictures of known classes: a folder, TAR shards, ...")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N of them.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, ... [default: the best]")
def verify(
    model: str, file: Path | None, images: str | None, limit: int | None, device: str | None
) -> None:
    """Compute the digest of MODEL's weights (or of FILE) and compare it with the right one.

    With --images also measure how often the model is right on them, and whether units whose meaning
    the literature tells are what they are said to be.
    """
    chosen = card(model)
    if images is None and (limit or device):
        raise BadInput("--limit and --device are about pictures; say which with --images")
    if chosen.spec:
        loaded = ModelOptions(str(file) if file else None, check=False).load(model, chosen)
        output.say(f"{loaded.card.lineage}\ndigest {loaded.digest}")
        warn_of_input(loaded)
        if images is not None:
            _verify_on(chosen, file, images, limit, device)
        return
    found = store.read(chosen, file)
    output.say(f"{found.path}")
    output.say(f"{len(found.tensors)} tensors, {_digest(chosen, found.digest)}")
    if images is not None:
        _verify_on(chosen, found.path, images, limit, device)


def _digest(c: ModelCard, digest: str) -> str:
    return f"digest {digest} ({'as it should be' if c.digest else 'the card states none'})"


def _verify_on(
    c: ModelCard, file: Path | None, images: str, limit: int | None, device: str | None
) -> None:
    from micrograph.cli.render import best_device
    from micrograph.datasets import open_dataset
    from micrograph.models import load
    from micrograph.runner.verify import evenly_chosen
    from micrograph.runner.verify import verify as measure

    dataset = open_dataset(images)
    if limit is not None:
        dataset = evenly_chosen(dataset, limit)
    loaded = load(c, weights=file, device=device or best_device())
    console = output.console()
    bar = Progress(console=console, disable=not console.is_terminal, transient=True)
    with bar:
        task = bar.add_task("looking")
        report = measure(
            loaded, dataset, lambda done, size: bar.update(task, completed=done, total=size)
        )
    output.say("")
    more = f", {report.left_out} could not be read" if report.left_out else ""
    output.say(f"{report.pictures} pictures{more}")
    if report.accuracy is None:
        output.say("accuracy  the model has no classes of its own")
    else:
        known = report.accuracy.pictures
        first, five = report.accuracy.first / known, report.accuracy.five / known
        output.say(f"accuracy  top-1 {first:.1%}, top-5 {five:.1%} of {known} of known class")
    if c.accuracy:
        output.say(f"the card  {c.accuracy}")
    if report.findings:
        output.say("")
        output.table(
            ("unit", "said to be", "measured", "verdict"),
            (
                (f"{f.probe.node}/{f.probe.unit}", f.probe.title, f.measured, f.verdict)
                for f in report.findings
            ),
        )
        for source in dict.fromkeys(f.probe.source for f in report.findings if f.probe.source):
            output.say(f"said by {source}")
    else:
        output.say("the card names no units by which to tell the weights")
