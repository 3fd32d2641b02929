"""Weights: how strongly, and with which sign, each source leads to the target.

The slope of the target, before its activation, in the values of the source's node, where the target
fires most, as a mean over its strongest pictures: the product of the weights on all paths that are
open there. Times a strong answer of each source, because a large weight on a unit that is never
large counts for nothing.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.evidence import Line, Reading, line, reading
from micrograph.circuits.claims.statistics import share_at_least
from micrograph.claim import Claim, Source
from micrograph.models.replacing import replaced

REACH = 3
"""Positions to each side of the target's place that a kernel is shown with."""


@dataclass(frozen=True)
class Kernels:
    """Of a target, from all units of one node: `total` and `size` [unit], the sum and the sum of
    magnitudes over positions, and `kernels` [unit, y, x] around the target's place."""

    total: np.ndarray
    size: np.ndarray
    kernels: np.ndarray


def weights(bench: Bench, claim: Claim, kernels: dict[str, Kernels]) -> Line:
    """The line of evidence, from the kernels of each source's node."""
    return line(
        "weights",
        "sum of the source's kernel times a strong answer of it, positive with the sign claimed",
        "all other units of the source's node",
        [_reading(bench, source, kernels[source.unit.node]) for source in claim.sources],
    )


def _reading(bench: Bench, source: Source, found: Kernels) -> Reading:
    unit = source.unit.unit
    strong = np.maximum(bench.of(source.unit).typical(), 0)
    effect = source.sign * found.total * strong
    others = np.delete(effect, unit)
    by_size = np.argsort(-found.size, kind="stable")
    share = found.size / max(float(found.size.sum()), 1e-30)
    return reading(
        str(source.unit),
        float(effect[unit]),
        share_at_least(effect[unit], others),
        controls=others.tolist(),
        numbers={
            "weight": float(found.total[unit]),
            "share": float(share[unit]),
            "rank_by_weight": int(np.flatnonzero(by_size == unit)[0]) + 1,
            "rank": int((others > effect[unit]).sum()) + 1,
            "of": len(effect),
            "share_of_others": float(1 - share[unit]),
        },
    )


def kernels_of(bench: Bench, claim: Claim) -> dict[str, Kernels]:
    """The kernels from each node that has a source."""
    return {
        node: _kernels(bench, claim, node) for node in dict.fromkeys(s.unit.node for s in claim.sources)
    }


def _kernels(bench: Bench, claim: Claim, node: str) -> Kernels:
    target = claim.target
    images = bench.answers.images(bench.model, bench.strongest(target))
    with torch.no_grad():
        values = bench.model.run(images, [node])[node]
    values = values.detach().clone().requires_grad_(True)
    with torch.enable_grad(), replaced(bench.model, node, values):
        out = bench.model.run(images, [target.node], pre_relu=True)[target.node]
        out = out if out.ndim == 4 else out[:, :, None, None]
        flat = out[:, target.unit].flatten(1)
        where = flat.detach().argmax(1)
        (slope,) = torch.autograd.grad(flat.gather(1, where[:, None]).sum(), values)
    slope = slope if slope.ndim == 4 else slope[:, :, None, None]
    around = _centred(slope, where.cpu(), (out.shape[2], out.shape[3]))
    return Kernels(
        slope.sum((2, 3)).mean(0).cpu().numpy(),
        slope.mean(0).abs().sum((1, 2)).cpu().numpy() if slope.shape[2] == 1 else _size(around),
        around.mean(0).cpu().numpy(),
    )


def _size(around: Tensor) -> np.ndarray:
    found: np.ndarray = around.mean(0).abs().sum((1, 2)).cpu().numpy()
    return found


def _centred(slope: Tensor, where: Tensor, grid: tuple[int, int]) -> Tensor:
    """[picture, unit, y, x] around the target's place, zero beyond the map."""
    rows, columns = slope.shape[2:]
    reach = min(REACH, (max(rows, columns) - 1) // 2)
    padded = torch.nn.functional.pad(slope, (reach,) * 4)
    found = []
    for one, place in zip(padded, where.tolist(), strict=True):
        y, x = divmod(place, grid[1])
        y, x = int((y + 0.5) / grid[0] * rows), int((x + 0.5) / grid[1] * columns)
        found.append(one[:, y : y + 2 * reach + 1, x : x + 2 * reach + 1])
    return torch.stack(found)
