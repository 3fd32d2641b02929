"""`micrograph info`: what is known of a place."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from micrograph.address import Address, check_unit, find_node, parse
from micrograph.atlas import Library, NodeRecord, Reading
from micrograph.cards import card
from micrograph.cards.adapters import parse as spec_of
from micrograph.cli import output
from micrograph.cli.folders import atlas_folder, atlas_option, commands_into, library
from micrograph.cli.given import refuse
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.cli.models import describe
from micrograph.errors import Unavailable
from micrograph.graph import Coverage, picture_size, what_a_position_sees
from micrograph.models import ModelCard, cards
from micrograph.parts.commands import Commands

if TYPE_CHECKING:
    from micrograph.models.model import Model


@click.command()
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@atlas_option
@model_options
def command(address: str, as_json: bool, atlas: Path | None, asked: ModelOptions) -> None:
    """Say what is known of ADDRESS: model, model/node or model/node/unit.

    Or of a network that is not among the models here, as `render` takes it: net.py:build,
    timm:NAME, ...; its nodes, and whether it seems to get the input that it was trained on.
    """
    own = _model_of_spec(address, asked)
    place = parse(address) if own is None else Address(own.id)
    shown = library(atlas)
    facts = _AddressFacts(shown, place, own).facts()
    for problem in shown.problems:
        click.echo(f"warning: {problem.message}", err=True)
    if as_json:
        output.write_json(facts)
    else:
        _tell(facts, commands_into(atlas_folder(atlas)))


def _model_of_spec(address: str, asked: ModelOptions) -> "Model | None":
    """The model that a spec names, with its weights where it has them, or else without."""
    if spec_of(address) is None:
        refuse(
            *("--weights", "--id", "--input", "--no-input-check"),
            *("--dictionary", "--dictionary-set"),
            reason="what is said of a model of `micrograph models` is from its card and its atlas; "
            "these options are for a network of your own",
        )
        return None
    chosen = asked.card(address)
    try:
        return asked.load(address, chosen)
    except Unavailable as error:
        from micrograph.models.loading import untrained

        click.echo(f"warning: {error}", err=True)
        return untrained(chosen)


class _AddressFacts:
    """What an atlas and the registry know of an address, or what is known of a user's own model."""

    def __init__(self, library: Library, asked: Address, own: "Model | None" = None) -> None:
        self.own = own
        self.card: ModelCard | None = None
        self.atlas: Reading | None = None
        by_folded = {m.id.lower(): m.id for m in library.models()}
        if own is not None:
            self.card = own.card
        elif asked.model.lower() in by_folded:
            self.atlas = library.model(by_folded[asked.model.lower()])
            self.card = cards().get(self.atlas.model.id)
        else:
            self.card = card(asked.model)
        self.coverage: Coverage | None = self.atlas.model.coverage if self.atlas else None
        self.nodes, aliases = self._graph()
        self.model = self.atlas.model.id if self.atlas else asked.model
        if self.card is not None:
            self.model = self.card.id
        self.node: NodeRecord | None = None
        self.unit = asked.unit
        if asked.node is not None:
            self.node = self.nodes[find_node(asked.node, aliases, self.model)]
        if self.node is not None and self.unit is not None:
            check_unit(self.unit, f"{self.model}/{self.node.id}", self.node.units)

    def _graph(self) -> tuple[dict[str, NodeRecord], dict[str, str]]:
        if self.atlas is not None:
            return dict(self.atlas.nodes), dict(self.atlas.aliases)
        assert self.card is not None
        from micrograph.models.loading import untrained
        from micrograph.runner.describe import model_record, node_records

        model = self.own or untrained(self.card)
        self.coverage = model_record(model).coverage
        return {record.id: record for record in node_records(model)}, model.aliases

    def facts(self) -> dict[str, Any]:
        """As JSON data; `atlas` tells whether pictures were rendered, `nodes` only of a model."""
        record = self.atlas.model if self.atlas else None
        model: dict[str, Any] = describe(self.card) if self.card else {"id": self.model}
        if self.own is not None:
            model["digest"] = self.own.digest
            model["passes"] = self.own.passes.remarks()
        if record is not None:
            model |= {"title": record.title, "summary": record.summary, "digest": record.digest}
        model["coverage"] = None if self.coverage is None else self.coverage.to_json()
        rendered: dict[str, dict[str, int]] = {}
        for count in self.atlas.counts() if self.atlas else ():
            rendered.setdefault(count.node, {})[f"{count.technique}/{count.variant}"] = (
                count.units or int(count.whole)
            )
        if self.node is None:
            nodes = [
                _node(n, self._picture()) | {"rendered": rendered.get(n.id, {})}
                for n in self.nodes.values()
            ]
            return {"address": self.model, "model": model, "nodes": nodes}
        node = _node(self.node, self._picture()) | {"rendered": rendered.get(self.node.id, {})}
        address = Address(self.model, self.node.id, self.unit)
        facts = {"address": str(address), "model": model, "node": self.node.id, "node_facts": node}
        if self.unit is None:
            return facts
        return facts | {
            "unit": self.unit,
            "label": self._label(),
            "visualizations": self._visualizations(self.node.id, self.unit),
        }

    def _picture(self) -> int:
        """Pixels along a side of what the model takes; 0 if nobody knows."""
        if self.card is not None:
            return self.card.preprocessing.size
        return picture_size(self.atlas.model.preprocessing) if self.atlas else 0

    def _label(self) -> str:
        labels = (self.atlas.model.labels if self.atlas else ()) or (
            self.card.labels if self.card else ()
        )
        assert self.node is not None
        is_output = not self.node.shape and self.node.units == len(labels)
        return labels[self.unit] if is_output and self.unit is not None else ""

    def _visualizations(self, node: str, unit: int) -> list[dict[str, Any]]:
        found = self.atlas.visualizations(node, unit) if self.atlas else []
        return [
            {
                "technique": v.technique,
                "variant": v.variant,
                "seed": v.seed,
                "score": v.score,
                "stored_score": v.stored_score,
                "width": v.picture.width if v.picture else 0,
                "height": v.picture.height if v.picture else 0,
                "recipe": dict(v.recipe),
                "made_with": dict(v.made_with),
                "created": v.created,
            }
            for v in found
        ]


def _node(n: NodeRecord, picture: int) -> dict[str, Any]:
    return {
        "id": n.id,
        "kind": n.kind,
        "units": n.units,
        "shape": list(n.shape),
        "receptive_field": {
            "size": n.field_size,
            "stride": n.field_stride,
            "start": n.field_start,
            "status": n.field_status,
        },
        "sees": what_a_position_sees(n, picture),
        "parents": list(n.parents),
        "aliases": list(n.aliases),
    }


def _map(node: dict[str, Any]) -> str:
    return "x".join(map(str, node["shape"])) or "flat"


def _done(node: dict[str, Any]) -> str:
    return ", ".join(f"{units} {name}" for name, units in node["rendered"].items())


def _tell(facts: dict[str, Any], commands: Commands) -> None:
    model = facts["model"]
    output.say(facts["address"], style="bold")
    if "nodes" in facts:
        output.say(model.get("summary", ""))
        for name in ("digest", "weights", "paper", "licence"):
            if model.get(name):
                output.say(f"{name:10}{model[name]}")
        for remark in model.get("passes", ()):
            output.say(f"{'passes':10}{remark}")
        output.say("")
        if model.get("unreleased"):
            output.say(model["unreleased"])
            return
        output.table(
            ("node", "kind", "units", "map", "sees", "rendered"),
            (
                (n["id"], n["kind"], str(n["units"]), _map(n), n["sees"], _done(n))
                for n in facts["nodes"]
            ),
        )
        if missing := Coverage.from_json(model.get("coverage")):
            output.say("")
            output.say(str(missing))
        return
    node = facts["node_facts"]
    lines = {
        "label": facts.get("label", ""),
        "kind": node["kind"],
        "units": "" if "unit" in facts else str(node["units"]),
        "map": _map(node),
        "sees": node["sees"],
        "behind": ", ".join(node["parents"]),
        "also": ", ".join(node["aliases"]),
        "rendered": "" if "unit" in facts else _done(node) or "nothing yet",
    }
    for name, text in lines.items():
        if text:
            output.say(f"{name:10}{text}")
    if "unit" not in facts:
        return
    output.say("")
    if not facts["visualizations"]:
        command = f"micrograph render {model['id']} --node {node['id']} --units {facts['unit']}"
        output.say(f"Nothing rendered yet: {commands.here(command)}")
        return
    output.table(
        ("technique", "variant", "seed", "score", "picture", "made"),
        (
            (
                v["technique"],
                v["variant"],
                str(v["seed"]),
                f"{v['score'] if v['stored_score'] is None else v['stored_score']:.4g}",
                f"{v['width']}x{v['height']}" if v["width"] else "",
                v["created"],
            )
            for v in facts["visualizations"]
        ),
    )
