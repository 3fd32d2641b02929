"""`micrograph steer`: what changes on a picture when units are silenced, scaled or given more."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from micrograph.cli import output
from micrograph.cli.given import one_of
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.cli.on_picture import (
    as_text,
    out_option,
    picture_option,
    split_place,
    units_of,
    write_answer,
)
from micrograph.errors import BadInput

if TYPE_CHECKING:
    from micrograph.circuits.steered import Effect, Steered


@click.command()
@click.argument("place", metavar="MODEL/NODE/UNITS")
@picture_option
@click.option("--silence", is_flag=True, help="Make them 0. [default]")
@click.option("--halve", is_flag=True, help="Halve them.")
@click.option("--double", is_flag=True, help="Double them.")
@click.option("--factor", type=float, metavar="F", help="Multiply them by F.")
@click.option("--add", type=float, metavar="A", help="Add A to them at every position.")
@click.option(
    "--controls", default=20, show_default=True, metavar="K", help="Matched random units."
)
@click.option("--node", "-n", "nodes", multiple=True, metavar="N", help="Look at these nodes.")
@click.option("--seed", default=0, show_default=True, help="For drawing the controls.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@out_option
@model_options
def command(
    place: str,
    picture: str,
    silence: bool,
    halve: bool,
    double: bool,
    factor: float | None,
    add: float | None,
    controls: int,
    nodes: tuple[str, ...],
    seed: int,
    as_json: bool,
    out: Path | None,
    asked: ModelOptions,
) -> None:
    """Say what changes when units are steered on one picture.

    UNITS are of one node: 3 or 3,7 or 0-5; the latents of a dictionary too. Every change is
    compared with what random units of the node do that were about as active.
    """
    from micrograph.circuits.steering import steer

    if out is not None and not as_json:
        raise BadInput("--out needs to know what to write; add --json")
    one_of(
        {
            "--silence": silence,
            "--halve": halve,
            "--double": double,
            "--factor": factor is not None,
            "--add": add is not None,
        }
    )
    how = "halve" if halve else "double" if double else "silence"
    name, node, text = split_place(place)
    model = asked.load(name, asked.card(name))
    found = steer(
        model,
        picture,
        node,
        units_of(text, model.node(node).units),
        how if factor is None else factor,
        add=add,
        controls=controls,
        nodes=nodes or None,
        seed=seed,
    )
    if as_json:
        write_answer(as_text(found.to_json()), out)
    else:
        _tell(found)


def _tell(found: "Steered") -> None:
    units = ",".join(map(str, found.units))
    output.say(
        f"{found.model}/{found.node}/{units} on {found.picture}: {found.how}; mean activation "
        f"{found.activation:.4g}, of {len(found.controls)} controls {found.control_activation:.4g}"
    )
    columns = ("change", "from", "to", "controls", "effect", "rank")
    if found.classes:
        rows = [
            (effect.label or str(effect.unit), *_cells(effect, found)) for effect in found.classes
        ]
        output.say("")
        output.table(("class", *columns), rows)
    rows = [
        (f"{node.node}/{effect.unit}", *_cells(effect, found))
        for node in found.nodes
        for effect in node.units[: 3 if len(found.nodes) < 9 else 1]
    ]
    output.say("")
    output.table(("unit", *columns), rows)
    for note in found.notes:
        output.say(f"note: {note}")


def _cells(effect: "Effect", found: "Steered") -> tuple[str, ...]:
    size = "" if effect.effect is None else f"{effect.effect:+.1f}"
    return (
        f"{effect.change:+.3g}",
        f"{effect.before:.3g}",
        f"{effect.after:.3g}",
        f"{effect.controls_mean:+.2g} ± {effect.controls_sd:.2g}",
        size,
        f"{effect.rank} of {len(found.controls) + 1}",
    )
