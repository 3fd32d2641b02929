"""`micrograph inputs`: what a unit is built from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from micrograph.address import Address, parse
from micrograph.cli import output
from micrograph.cli.folders import atlas_option, library
from micrograph.cli.given import refuse
from micrograph.cli.model_options import ModelOptions, model_options
from micrograph.errors import BadInput, short
from micrograph.graph import NodeKind, last_before, next_before, worth_seeing

if TYPE_CHECKING:
    from torch import Tensor

    from micrograph.models.linear.groups import WeightGroups
    from micrograph.models.linear.strongest import Strongest
    from micrograph.models.linear.weights import Weights
    from micrograph.models.model import Model


@click.command()
@click.argument("address", metavar="MODEL/NODE[/UNIT]")
@click.option(
    "--from",
    "source",
    metavar="NODE",
    help="Whose units. [default: the last node that all paths pass]",
)
@click.option("-n", "count", type=int, default=20, show_default=True, help="Inputs in the list.")
@click.option(
    "--by",
    type=click.Choice(["weight", "activation"]),
    default="weight",
    show_default=True,
    help="Order by the sum of a kernel's absolute weights, or by that times the source's mean "
    "activation in a sweep over a dataset.",
)
@click.option("--dataset", default="", metavar="NAME", help="Which sweep, where there are several.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Picture on which norms, gates and attention are held: a file, or car, owl, ...",
)
@click.option(
    "--groups",
    type=click.IntRange(1, 32),
    metavar="N",
    help="Of a node: the excitatory weights of all of its units, factored into N groups.",
)
@click.option("--position", metavar="Y,X", help="Position of the unit. [default: the middle]")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, with every kernel.")
@atlas_option
@model_options
def command(
    address: str,
    source: str | None,
    count: int,
    by: str,
    dataset: str,
    reference: Path | None,
    groups: int | None,
    position: str | None,
    as_json: bool,
    atlas: Path | None,
    asked: ModelOptions,
) -> None:
    """Say what a unit is built from: its strongest inputs among the units of an earlier node.

    Activations on the way count as the identity and max pools as average pools; what else was done
    is said. The share of all inputs that are not listed stands at the end.

    With --groups and MODEL/NODE: which of its units are built from the same ones.
    """
    spec, node, unit = _split(address)
    if unit is None and groups is None:
        raise BadInput(f"{short(address)} names no unit; expected MODEL/NODE/UNIT")
    if unit is not None and groups is not None:
        raise BadInput(f"{short(address)} names a unit; --groups are of a node: MODEL/NODE")
    if groups is not None and by != "weight":
        raise BadInput("--by activation was given with --groups, which are those of weights alone")
    if groups is not None:
        refuse("-n", reason="of each group the eight that are most of it are listed")
    if by != "activation":
        refuse("--dataset", reason="it is of --by activation")
    model = asked.load(spec, asked.card(spec))
    target = model.node(node)
    if source is None:
        source = _before(model, target.id)
    from micrograph.models.linear.weights import weights

    try:
        found = weights(
            model,
            source,
            target.id,
            units=unit,
            reference=_reference(reference, model),
            position=_position(position),
        )
    except BadInput as error:
        raise BadInput(str(error).replace("pass reference=", "name one with --reference")) from None
    if unit is None:
        together = found.groups(groups or 1)
        if as_json:
            output.write_json(together.to_json())
        else:
            _tell_groups(together)
        return
    typical = _typical(model, found.source, atlas, dataset) if by == "activation" else None
    strongest = found.strongest(unit, count, by=by, typical=typical)
    if as_json:
        output.write_json(_facts(found, strongest))
    else:
        _tell(found, strongest)


def _split(address: str) -> tuple[str, str, int | None]:
    """Model, node and unit; the model may be a spec with slashes of its own."""
    model, _, rest = address.rpartition("/")
    spec, _, node = model.rpartition("/")
    if spec and rest.isdigit():
        try:
            place = parse(address)
        except Exception:  # a spec such as net.py:build
            return spec, node, int(rest)
        if place.node is not None:
            return place.model, place.node, place.unit
        return spec, node, int(rest)
    place = parse(address)
    return place.model, place.node or "", place.unit


def _before(model: "Model", node: str) -> str:
    """The node that all of a node's units are built from, or else one of the next before it."""
    attached = model.attached(node)
    if attached is not None:
        return attached.base.id
    among = {n.id for n in worth_seeing(model.nodes)}
    # A class token goes beside the map from block to block, and would count as another path.
    maps = {id: n for id, n in model.nodes.items() if n.kind != NodeKind.TOKEN or id == node}
    found = last_before(maps, node, among)
    if found is not None:
        return found
    several = next_before(model.nodes, node, among)
    if not several:
        raise BadInput(f"no node lies before {node}; its units are built from the picture itself")
    return several[0]


def _reference(given: Path | None, model: "Model") -> "Tensor | None":
    """The picture: a file, or one that ships, by its name."""
    from micrograph.circuits.seen_picture import seen_picture

    return None if given is None else seen_picture(str(given), model).tensor


def _position(given: str | None) -> tuple[int, int] | None:
    if given is None:
        return None
    parts = given.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise BadInput(f"--position {short(given)} given; expected Y,X such as 6,6")
    return int(parts[0]), int(parts[1])


def _typical(model: "Model", node: str, atlas: Path | None, dataset: str) -> dict[int, float]:
    from micrograph.lenses.dataset_examples.typical import typical_activations

    reading = library(atlas).model(model.id)
    units = model.node(node).units
    return dict(typical_activations(reading, node, units, model.digest, dataset).units)


def _facts(found: "Weights", strongest: "Strongest") -> dict[str, Any]:
    return {
        "model": found.model,
        **strongest.to_json(),
        "stride": list(found.stride),
        "offset": list(found.offset),
        "position": None if found.position is None else list(found.position),
        "cut": found.cut,
        "exact": found.exact,
        "approximations": [str(note) for note in found.approximations],
        "rest_in_words": strongest.rest_in_words(),
    }


def _tell(found: "Weights", strongest: "Strongest") -> None:
    unit = Address(found.model, found.target, strongest.unit)
    rows, columns = found.kernels.shape[2:]
    kernel = f"kernels {rows} x {columns}" if rows * columns > 1 else "one weight each"
    output.say(f"{unit} from {found.source}, {kernel}", style="bold")
    scale = max((float(one.kernel.abs().max()) for one in strongest.inputs), default=0.0)
    activation = strongest.by == "activation"
    output.table(
        ["share", "unit", "sum", *(["activation"] if activation else []), *_heading(rows, columns)],
        [
            [
                f"{100 * one.share:.1f} %".rjust(6),
                f"{found.source}/{one.unit}",
                f"{one.strength:+.4g}",
                *([f"{one.typical:.4g}"] if activation else []),
                *([_drawn(one.kernel.tolist(), scale)] if rows * columns <= 49 else []),
            ]
            for one in strongest.inputs
        ],
    )
    output.say(strongest.rest_in_words())
    if found.position is not None:
        output.say(f"at position {found.position[0]},{found.position[1]} of {found.target} only")
    if found.exact:
        output.say("exact: the path is linear")
    for line, count in _together(found):
        output.say(f"approximation: {line}" + (f" and {count - 1} more" if count > 1 else ""))


def _tell_groups(found: "WeightGroups") -> None:
    output.say(f"{found.model}/{found.target} from {found.source}", style="bold")
    for number, group in enumerate(found.groups, 1):
        targets, sources = (
            ", ".join(f"{unit} ({100 * part:.1f} %)" for unit, part in side[:8])
            for side in (group.targets, group.sources)
        )
        output.say(f"group {number}: {100 * group.share:.0f} % of what the groups give")
        output.say(f"  units of {found.target}: {targets}")
        output.say(f"  built from {found.source}: {sources}")
    output.say(
        f"the groups are {100 * found.explained:.0f} % of the square of all weights above zero"
    )


def _heading(rows: int, columns: int) -> list[str]:
    return ["kernel, row by row (+ ' above zero, = - below)"] if rows * columns <= 49 else []


def _drawn(kernel: list[list[float]], scale: float) -> str:
    """A kernel in signs, on the scale of the list: + and = are the larger weights above and below
    zero, ' and - the smaller ones, a dot is next to nothing."""
    return " ".join("".join(_sign(value, scale) for value in row) for row in kernel)


def _sign(value: float, scale: float) -> str:
    share = abs(value) / scale if scale else 0.0
    if share < 0.1:
        return "."
    strong = share >= 0.4
    return ("+" if strong else "'") if value > 0 else ("=" if strong else "-")


def _together(found: "Weights") -> list[tuple[str, int]]:
    """The approximations, those of one kind in one line: the first, and how many there are."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for note in found.approximations:
        kinds.setdefault((note.operation, note.replaced), []).append(str(note))
    return [(lines[0], len(lines)) for lines in kinds.values()]
