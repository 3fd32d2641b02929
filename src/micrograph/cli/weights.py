"""`micrograph weights`: where weights are, importing and verifying them."""

from pathlib import Path

import click

from micrograph.cli import output
from micrograph.models import ModelCard, card, cards
from micrograph.models import weights as store


@click.group()
def command() -> None:
    """Find, import and verify the weights of models."""


_FILE = click.Path(path_type=Path)


@command.command()
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def status(model: str | None, as_json: bool) -> None:
    """Say where the weights of MODEL (or of all models) are."""
    chosen = [card(model)] if model else list(cards().values())
    if as_json:
        output.write_json([_as_json(c) for c in chosen])
    elif model:
        _explain(chosen[0])
    else:
        output.table(
            ("model", "weights"),
            ((c.id, str(store.status(c).path or "missing")) for c in chosen),
        )


def _as_json(c: ModelCard) -> dict[str, object]:
    found = store.status(c)
    return {
        "model": c.id,
        "path": None if found.path is None else str(found.path),
        "digest": c.digest,
        "import_path": str(found.wanted_at),
        "sources": [
            {"title": s.title, "url": s.url, "note": s.note, "sha256": s.sha256} for s in c.sources
        ],
    }


def _explain(c: ModelCard) -> None:
    found = store.status(c)
    output.say(f"model     {c.id}")
    output.say(f"weights   {found.path or 'missing'}")
    if c.digest:
        output.say(f"digest    {c.digest}")
    output.say(f"licence   {c.licence}")
    for source in c.sources:
        parts = (source.title, source.url, source.note)
        output.say(f"source    {'; '.join(p for p in parts if p)}")
    if found.path is None:
        output.say("")
        output.say(
            f"Run `micrograph weights import {c.id} FILE`, or put {c.id}.safetensors "
            f"into {store.data_folder()} or the folder that MICROGRAPH_WEIGHTS names."
        )


@command.command("import")
@click.argument("model")
@click.argument("file", type=_FILE)
def import_(model: str, file: Path) -> None:
    """Verify, convert and keep FILE for MODEL, whatever form its weights are published in."""
    chosen = card(model)
    from micrograph.models.importing import import_weights

    kept = import_weights(chosen.id, file)
    how = f"converted from {kept.form}" if kept.converted else f"read from {kept.form}"
    output.say(f"{chosen.id}: {how}, verified and kept as {kept.path}")


@command.command()
@click.argument("model")
@click.argument("file", type=_FILE, required=False)
def verify(model: str, file: Path | None) -> None:
    """Compute the digest of MODEL's weights (or of FILE) and compare it with the right one."""
    chosen = card(model)
    found = store.read(chosen, file)
    output.say(f"{found.path}")
    known = "as it should be" if chosen.digest else "the card states none"
    output.say(f"{len(found.tensors)} tensors, digest {found.digest} ({known})")
