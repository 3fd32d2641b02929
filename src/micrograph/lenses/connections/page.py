"""Connections as a part of a unit's page."""

from dataclasses import dataclass
from math import isfinite

from micrograph.lenses.connections.kernels import drawn, scale_bar
from micrograph.lenses.connections.lens import LENS
from micrograph.lenses.connections.stored import connections_of, rest_in_words, stored_connections
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Thumb

TITLES = {"inputs": "What is it built from?", "outputs": "What uses it?"}


@dataclass(frozen=True)
class Connection:
    """Another unit and the weights between: `kernel` [y, x] as the target sees the source, empty
    where it is too large; `strength` is its sum, `share` that of its absolute weights in those of
    all connections."""

    thumb: Thumb
    strength: float
    share: float
    kernel: list[list[float]]


@dataclass(frozen=True)
class ConnectionsRow:
    """The connections with the units of the node `other`, the strongest first. `scale` is the
    largest absolute weight of all kernels in it; `rest` the share of the `others` that are not
    listed, and in words."""

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


@dataclass(frozen=True)
class Connections:
    """One row for inputs, one for outputs. `circuit` is the page that goes on to the inputs'
    inputs."""

    technique: str
    form: str
    rows: list[ConnectionsRow]
    circuit: str


def section(scene: Scene) -> Connections | None:
    if scene.unit is None:
        return None
    rows = [row for variant in TITLES if (row := _row(scene, variant, scene.unit))]
    circuit = scene.urls.circuit(scene.model, scene.node.id, scene.unit)
    return Connections(LENS.name, "connections", rows, circuit) if rows else None


def _row(scene: Scene, variant: str, unit: int) -> ConnectionsRow | None:
    result = stored_connections(scene.atlas, scene.node.id, variant)
    listed = connections_of(result, unit) if result else None
    rest = result.row("rest", unit) if result else None
    if result is None or listed is None or rest is None or rest.ndim or not isfinite(rest):
        return None
    found = [
        Connection(thumb, one.strength, one.share, one.kernel)
        for one in listed
        if (thumb := scene.thumb(result.other, one.unit)) is not None
    ]
    if not found:
        return None
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
        float(rest),
        rest_in_words(others, float(rest)),
        list(result.notes),
    )


PAGE = LensPage(
    part=Connections, section=section, drawings={"kernel_of": drawn, "kernel_scale": scale_bar}
)
