"""Connections as an atlas holds them: of a node, and of one unit of it."""

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from micrograph.atlas.reading import Reading
from micrograph.lenses.connections.lens import LENS, ConnectionsResult
from micrograph.lenses.pages.scene import ArraysOf, whole_results
from micrograph.parts.plots.svg import percent

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


def kernels_of(result: ConnectionsResult, unit: int) -> dict[int, list[list[float]]]:
    """Of all pairs of a unit the kernels that are kept, by source.

    `near` [unit, k] are the sources, -1 where there are no more; their kernels stand one
    behind another in `kernels` float16, from `starts` [unit] on, each of the rectangle
    `boxes` [unit, 4] (top, left, height, width) of a kernel of the `sides` [2]."""
    near, box, start = (result.row(name, unit) for name in ("near", "boxes", "starts"))
    sides, kernels = result.kept.get("sides"), result.kept.get("kernels")
    if near is None or box is None or start is None or sides is None or kernels is None:
        return {}
    shapes = near.shape[1:], box.shape, start.shape, sides.shape, kernels.shape[1:]
    if shapes != ((), (4,), (), (2,), ()) or not near.ndim or not kernels.ndim:
        return {}
    (top, left, high, wide), (rows, columns) = box.astype(int).tolist(), sides.astype(int).tolist()
    inside = 0 <= top < top + high <= rows <= WIDEST and 0 <= left < left + wide <= columns
    sources = [source for source in near.astype(int).tolist() if source >= 0]
    first = int(start)
    if not inside or columns > WIDEST or first < 0:
        return {}
    some = kernels[first : first + len(sources) * high * wide]
    if len(some) < len(sources) * high * wide:
        return {}
    found = {}
    for source, part in zip(sources, some.reshape(-1, high, wide), strict=True):
        kernel = [[0.0] * columns for _ in range(rows)]
        for y, row in enumerate((part.astype(float) * result.scale).tolist()):
            kernel[top + y][left : left + wide] = row
        if all(isfinite(weight) for row in kernel for weight in row):
            found[source] = kernel
    return found


def rest_in_words(others: int, rest: float, *, by_activation: bool = False) -> str:
    """How many connections are not shown, and their share: other 480: 31 % of Σ|w|."""
    if not others:
        return "no others"
    return f"other {others}: {percent(rest)} of Σ|w|" + " × activation" * by_activation


def plain_kernel(kernel: "np.ndarray | None") -> list[list[float]]:
    """As rows of numbers; none where it cannot be drawn."""
    if kernel is None or kernel.ndim != 2 or max(kernel.shape) > WIDEST:
        return []
    rows: list[list[float]] = kernel.astype(float).tolist()
    return rows if all(isfinite(weight) for row in rows for weight in row) else []
