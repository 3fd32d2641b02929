"""`micrograph models`: which models are known here."""

from typing import Any

import click

from micrograph.cli import output
from micrograph.models import ModelCard, cards
from micrograph.weights import store


def describe(card: ModelCard) -> dict[str, Any]:
    """A model as JSON data. `weights` is the path of its weights file, or null; `unreleased` says
    why they were never released, or is ""."""
    path = store.status(card).path
    return {
        "id": card.id,
        "title": card.title,
        "summary": card.summary,
        "parameters": card.parameters,
        "digest": card.digest,
        "size": card.preprocessing.size,
        "preprocessing": card.preprocessing.as_dict(),
        "classes": len(card.labels),
        "paper": card.paper,
        "paper_url": card.paper_url,
        "licence": card.licence,
        "lineage": card.lineage,
        "weights": None if path is None else str(path),
        "unreleased": card.unreleased,
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> None:
    """List the models that are known."""
    found = [describe(card) for card in cards().values()]
    if as_json:
        output.write_json(found)
        return
    output.table(
        ("model", "parameters", "input", "weights", "title"),
        (
            (
                m["id"],
                f"{m['parameters'] / 1e6:.1f} M" if m["parameters"] else "",
                f"{m['size']} px",
                "ready" if m["weights"] else "unreleased" if m["unreleased"] else "missing",
                m["title"],
            )
            for m in found
        ),
    )
    missing = [m["id"] for m in found if not m["weights"] and not m["unreleased"]]
    if missing:
        output.say("")
        output.say(f"`micrograph weights status {missing[0]}` says where to get what is missing")
