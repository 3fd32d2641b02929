"""Connections as a part of a unit's page, and of a node's."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from micrograph.lenses.connections.first_layer import FirstLayer, asked_page, first_layer
from micrograph.lenses.connections.inputs import (
    ORDERS,
    LackingOrder,
    inputs_by_activation,
    lacking_order,
)
from micrograph.lenses.connections.kernels import drawn, scale_bar
from micrograph.lenses.connections.lens import LENS, ConnectionsResult
from micrograph.lenses.connections.stored import (
    StoredConnection,
    connections_of,
    rest_in_words,
    stored_connections,
)
from micrograph.lenses.connections.weight_groups import GroupsOfWeights, groups_of_weights
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Choice, Thumb

TITLES = {"inputs": "What is it built from?", "outputs": "What uses it?"}


ORDER_WORDS = {"weight": "weight", "activation": "weight × activation"}


@dataclass(frozen=True)
class Connection:
    """Another unit and the weights between: `kernel` [y, x] as the target sees the source, empty
    where it is not kept; `strength` is its sum, `share` that of its absolute weights in those of
    all connections. Ordered by activation it is the share of weights times `typical`, the mean
    activation of the source over a dataset."""

    thumb: Thumb
    strength: float
    share: float
    kernel: list[list[float]]
    typical: float | None = None


@dataclass(frozen=True)
class ConnectionsRow:
    """The connections with the units of the node `other`, the strongest first. `scale` is the
    largest absolute weight of all kernels in it; `rest` the share of the `others` that are not
    listed, and in words.

    Inputs can be ordered in several ways, of which `order` is the one that is shown; `dataset` is
    the one whose activations were taken. Where the order that was asked for cannot be, or another
    one, `lacking` says what is missing and `command` gets it. Where kernels are not kept,
    `kernels_command` works out all of them."""

    variant: str
    title: str
    other: str
    excite: list[Connection]
    inhibit: list[Connection]
    scale: float
    others: int
    rest: float
    rest_in_words: str
    notes: list[str]
    order: str = "weight"
    orders: list[Choice] = field(default_factory=list)
    dataset: str = ""
    lacking: str = ""
    command: str = ""
    kernels_command: str = ""


@dataclass(frozen=True)
class Connections:
    """One row for inputs, one for outputs. `circuit` is the page that goes on to the inputs'
    inputs. `first_layer` are the weights of a unit that reads the picture itself."""

    technique: str
    form: str
    rows: list[ConnectionsRow]
    circuit: str
    first_layer: FirstLayer | None = None


@dataclass(frozen=True)
class NodeConnections:
    """What the weights say of a node as a whole: those of a first layer, and the groups into which
    they can be factored."""

    technique: str
    form: str
    title: str
    first_layer: FirstLayer | None
    groups: GroupsOfWeights | None


def section(scene: Scene) -> Connections | None:
    if scene.unit is None:
        return None
    rows = [row for variant in TITLES if (row := _row(scene, variant, scene.unit))]
    first = first_layer(scene, range(scene.unit, scene.unit + 1))
    if not rows and not (first and first.units):
        return None
    circuit = scene.urls.circuit(scene.model, scene.node.id, scene.unit)
    return Connections(LENS.name, "connections", rows, circuit, first)


def node_section(scene: Scene) -> NodeConnections | None:
    first, groups = first_layer(scene), groups_of_weights(scene)
    if first is None:
        asked_page(scene, 1)
    if groups is None and not (first and first.units):
        return None
    title = "What do its units look for in the picture?" if first else "What is it built from?"
    return NodeConnections(LENS.name, "connections", title, first, groups)


def _row(scene: Scene, variant: str, unit: int) -> ConnectionsRow | None:
    result = stored_connections(scene.atlas, scene.node.id, variant)
    listed = connections_of(result, unit) if result else None
    rest = result.row("rest", unit) if result else None
    if result is None or listed is None or rest is None or rest.ndim or not isfinite(rest):
        return None
    found = _shown(scene, result.other, listed)
    if not found:
        return None
    row = _in_a_row(variant, result, found, float(rest))
    return _ordered(scene, unit, result, row) if variant == "inputs" else row


def _ordered(
    scene: Scene, unit: int, result: ConnectionsResult, by_weight: ConnectionsRow
) -> ConnectionsRow:
    """The inputs in the order that the address asks for, as far as that can be, with the way to the
    other one or what is missing for it."""
    row, lacking = by_weight, lacking_order(scene.atlas, scene.node.id)
    if lacking is None and scene.options.get("order") == "activation":
        inputs = inputs_by_activation(scene.atlas, scene.node.id)
        every = None if isinstance(inputs, LackingOrder) else inputs.of(unit)
        if isinstance(inputs, LackingOrder):
            lacking = inputs
        elif every:
            most = max(len(by_weight.excite), len(by_weight.inhibit))
            signs = [[one for one in every if sign * one.strength > 0][:most] for sign in (1, -1)]
            found = _shown(scene, inputs.other, signs[0] + signs[1])
            rest = max(0.0, 1 - sum(one.share for one in found))
            row = _in_a_row("inputs", result, found, rest, inputs.dataset)
    return replace(
        row,
        orders=[
            Choice(order, words, _url(scene, unit, order), order == row.order)
            for order, words in ORDER_WORDS.items()
            if lacking is None or order == row.order
        ],
        lacking=lacking.why if lacking else "",
        command=_command(scene, lacking) if lacking and lacking.technique else "",
        kernels_command=kernels_command(scene, unit, row),
    )


def kernels_command(scene: Scene, unit: int, row: ConnectionsRow) -> str:
    """What works out the kernels of a row, where some of them are not kept."""
    if not row.scale or all(one.kernel for one in row.excite + row.inhibit):
        return ""
    return scene.urls.commands.inputs(
        scene.atlas.model, scene.node.id, unit, row.other, by=row.order
    )


def _shown(scene: Scene, other: str, listed: Sequence[StoredConnection]) -> list[Connection]:
    return [
        Connection(thumb, one.strength, one.share, one.kernel, one.typical)
        for one in listed
        if (thumb := scene.thumb(other, one.unit)) is not None
    ]


def _in_a_row(
    variant: str,
    result: ConnectionsResult,
    found: Sequence[Connection],
    rest: float,
    dataset: str = "",
) -> ConnectionsRow:
    weights = [abs(w) for one in found for line in one.kernel for w in line]
    others = max(0, result.count - len(found))
    return ConnectionsRow(
        variant,
        TITLES[variant],
        result.other,
        [one for one in found if one.strength > 0],
        [one for one in found if one.strength < 0],
        max(weights, default=0.0),
        others,
        rest,
        rest_in_words(others, rest, by_activation=bool(dataset)),
        list(result.notes),
        "activation" if dataset else "weight",
        dataset=dataset,
    )


def _url(scene: Scene, unit: int, order: str) -> str:
    view = {"dataset": scene.options.get("dataset") or None}
    view |= {"order": order if order != ORDERS[0] else None}
    return scene.urls.unit(scene.model, scene.node.id, unit, **view) + f"#{LENS.name}"


def _command(scene: Scene, lacking: LackingOrder) -> str:
    return scene.urls.commands.render(
        scene.atlas.model,
        lacking.node,
        technique=lacking.technique,
        variants=[lacking.variant] if lacking.variant else [],
        options="" if lacking.variant else "--dataset FOLDER",
    )


PAGE = LensPage(
    part=Connections,
    section=section,
    node_part=NodeConnections,
    node_section=node_section,
    drawings={"kernel_of": drawn, "kernel_scale": scale_bar},
)
