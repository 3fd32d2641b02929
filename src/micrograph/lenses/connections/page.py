"""Connections as a part of a unit's page."""

from dataclasses import dataclass
from math import isfinite

from micrograph.lenses.connections.kernels import drawn, scale_bar
from micrograph.lenses.connections.lens import LENS, ConnectionsResult
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Thumb

MOST = 128
"""Connections of a row: twice as many as the option of the lens allows."""
WIDEST = 64
"""Weights along a side of a kernel that is drawn."""
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
    """One row for inputs, one for outputs."""

    technique: str
    form: str
    rows: list[ConnectionsRow]


def section(scene: Scene) -> Connections | None:
    if scene.unit is None:
        return None
    rows = []
    for variant in TITLES:
        for v in scene.whole:
            if (v.technique, v.variant) == (LENS.name, variant):
                row = _row(scene, variant, scene.read(v, ConnectionsResult))
                rows += [row] if row else []
                break
    return Connections(LENS.name, "connections", rows) if rows else None


def _row(scene: Scene, variant: str, result: ConnectionsResult) -> ConnectionsRow | None:
    assert scene.unit is not None
    read = {name: result.row(name, scene.unit) for name in ("units", "strength", "share", "rest")}
    units, strength, share, rest = (read[n] for n in ("units", "strength", "share", "rest"))
    if result.reason or units is None or strength is None or share is None or rest is None:
        return None
    if not units.shape == strength.shape == share.shape or units.ndim != 1 or rest.ndim:
        return None
    if units.dtype.kind not in "iu" or len(units) > MOST or not isfinite(rest):
        return None
    kernels = result.row("kernels", scene.unit)
    if kernels is not None and (kernels.ndim != 3 or max(kernels.shape[1:]) > WIDEST):
        kernels = None
    found = []
    for k, unit in enumerate(units.tolist()):
        thumb = scene.thumb(result.other, unit)
        if thumb is not None and isfinite(strength[k]) and isfinite(share[k]):
            kernel = kernels[k].tolist() if kernels is not None and k < len(kernels) else []
            if not all(isfinite(weight) for line in kernel for weight in line):
                kernel = []
            found.append(Connection(thumb, float(strength[k]), float(share[k]), kernel))
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
        f"other {others}: {_percent(float(rest))} of Σ|w|" if others else "no others",
        list(result.notes),
    )


def _percent(share: float) -> str:
    return "under 1 %" if 0 < share < 0.005 else f"{round(100 * share)} %"


PAGE = LensPage(
    part=Connections, section=section, drawings={"kernel_of": drawn, "kernel_scale": scale_bar}
)
