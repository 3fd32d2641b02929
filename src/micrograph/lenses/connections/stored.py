"""Connections as an atlas holds them: of a node, and of one unit of it."""

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from micrograph.atlas.reading import Reading
from micrograph.lenses.connections.lens import LENS, ConnectionsResult
from micrograph.lenses.pages.scene import ArraysOf, whole_results

if TYPE_CHECKING:
    import numpy as np

MOST = 128
"""Connections of a row: twice as many as the option of the lens allows."""
WIDEST = 64
"""Weights along a side of a kernel that is drawn."""


@dataclass(frozen=True)
class StoredConnection:
    """A unit at the other end and the weights between: `kernel` [y, x] as the target sees the
    source, empty where it is not kept; `strength` is its sum, `share` that of its absolute weights
    in those of all connections; of weights times activation where `typical`, the source's typical
    activation, is given."""

    unit: int
    strength: float
    share: float
    kernel: list[list[float]]
    typical: float | None = None


def stored_connections(atlas: Reading, node: str, variant: str) -> ConnectionsResult | None:
    """The connections of a node's units ("inputs" or "outputs"); None where none are stored."""
    for v in whole_results(atlas, node):
        if (v.technique, v.variant) == (LENS.name, variant):
            return ConnectionsResult.from_json(v.data, ArraysOf(atlas, v))
    return None


def connections_of(result: ConnectionsResult, unit: int) -> list[StoredConnection] | None:
    """Those of one unit, each as its row has it; None where there is no such row. Whatever has no
    number is left out: anybody may have written the file."""
    units, strength, share = (result.row(name, unit) for name in ("units", "strength", "share"))
    if result.reason or units is None or strength is None or share is None:
        return None
    if not units.ndim == strength.ndim == share.ndim == 1 or not (
        len(units) == len(strength) == len(share) <= MOST
    ):
        return None
    kernels = result.row("kernels", unit)
    found: dict[int, StoredConnection] = {}
    for k, other in enumerate(units.tolist()):
        numbers = float(strength[k]), float(share[k])
        if isinstance(other, int) and other >= 0 and all(map(isfinite, numbers)):
            kernel = kernels[k] if kernels is not None and k < len(kernels) else None
            found.setdefault(other, StoredConnection(other, *numbers, plain_kernel(kernel)))
    return list(found.values())


def rest_in_words(others: int, rest: float, *, by_activation: bool = False) -> str:
    """How many connections are not shown, and their share: other 480: 31 % of Σ|w|."""
    if not others:
        return "no others"
    percent = "under 1 %" if 0 < rest < 0.005 else f"{round(100 * rest)} %"
    return f"other {others}: {percent} of Σ|w|" + " × activation" * by_activation


def plain_kernel(kernel: "np.ndarray | None") -> list[list[float]]:
    """As rows of numbers; none where it cannot be drawn."""
    if kernel is None or kernel.ndim != 2 or max(kernel.shape) > WIDEST:
        return []
    rows: list[list[float]] = kernel.astype(float).tolist()
    return rows if all(isfinite(weight) for row in rows for weight in row) else []
