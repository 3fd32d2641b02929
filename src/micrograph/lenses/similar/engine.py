"""Similar units by weights: which units of a node read the same, and which are used alike?

The cosine between the weights of two units. Incoming weights (variant `weights`) say whether two
units compute nearly the same; outgoing weights (`outgoing`) whether what follows treats them as the
same. Circuits calls units of like weights a family (Olah et al., "Zoom In", Distill 2020).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from micrograph.lenses.engines.base import Job
from micrograph.lenses.engines.node_by_node import NodeByNode
from micrograph.lenses.similar.lens import LENS, VARIANTS, SimilarParams, SimilarResult
from micrograph.models.connections import WeightsPart, incoming, outgoing
from micrograph.models.model import Model

COSINES = 1 << 24
"""Cosines that are compared together, about; 400 MB with what is made of them."""


class SimilarEngine(NodeByNode[SimilarParams]):
    """The engine of similar units by weights."""

    lens = LENS

    def plan(self, model: Model, params: SimilarParams) -> list[Job]:
        """One job for each variant."""
        return [
            Job(self.recipe(model, variant, 0, variant=variant, nearest=params.nearest))
            for variant in dict.fromkeys(params.variants)
        ]

    def of_node(self, model: Model, node: str, job: Job) -> tuple[SimilarResult, float]:
        """The nearest others of each unit, int32 [unit, k], and their cosines.

        Where a unit has fewer than k others (in its branch), -1 fills up. The score is the mean
        cosine of a unit's nearest.
        """
        return _compare(self._parts(model, node, job), model.node(node).units, job)

    def nothing_of(self, reason: str) -> SimilarResult:
        return SimilarResult(reason=reason)

    def _parts(self, model: Model, node: str, job: Job) -> list[WeightsPart]:
        if job.variant == "weights":
            return incoming(model, node)
        return [WeightsPart(0, outgoing(model, node))]


def _compare(parts: Sequence[WeightsPart], units: int, job: Job) -> tuple[SimilarResult, float]:
    near, cosine = nearest_of(parts, units, job.recipe["nearest"])
    found = near[:, 0] >= 0
    result = SimilarResult(
        method=VARIANTS[job.variant], near=near, cosine=cosine.astype(np.float16)
    )
    return result, float(cosine[found, 0].mean()) if found.any() else 0.0


def nearest_of(parts: Sequence[WeightsPart], units: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The `k` units of highest cosine for each unit, within its part: int32 and float32 [unit, k].

    Ties go to the lower unit. A unit whose weights are all zero is similar to none.
    """
    near = np.full((units, k), -1, np.int32)
    cosine = np.zeros((units, k), np.float32)
    for part in parts:
        count = len(part.weights)
        for rows, likeness in _cosines_in_blocks(part.weights):
            order = _largest(likeness, min(k, count - 1))
            values = likeness.gather(1, order)
            ids = torch.where(values > -2, order + part.first, -1)
            found = slice(part.first + rows.start, part.first + rows.stop)
            near[found, : order.shape[1]] = ids.cpu().numpy()
            cosine[found, : order.shape[1]] = torch.where(values > -2, values, 0).cpu().numpy()
    return near, cosine


def _cosines_in_blocks(weights: Tensor) -> Iterator[tuple[range, Tensor]]:
    """Cosines [unit, any unit] of rows, for as many units at a time as fit into memory; -inf with
    itself and wherever a row is all zero."""
    count = len(weights)
    length = weights.norm(dim=1, keepdim=True)
    unit = weights / length.where(length > 0, torch.ones_like(length))
    dead = (length == 0).flatten()
    together = max(1, COSINES // max(1, count))
    for first in range(0, count, together):
        rows = range(first, min(first + together, count))
        some = slice(rows.start, rows.stop)
        found: Tensor = (unit[some] @ unit.T).clamp_(-1, 1)
        found[dead[some]] = -torch.inf
        found[:, dead] = -torch.inf
        found[torch.arange(len(rows)), torch.arange(rows.start, rows.stop)] = -torch.inf
        yield rows, found


def _largest(values: Tensor, k: int) -> Tensor:
    """Places of the `k` largest float32 of each row, largest first; the first of equals first."""
    bits = (values + 0.0).view(torch.int32)  # -0.0 becomes 0.0, its equal
    rising = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).long()
    last = values.shape[1] - 1
    keys = rising << 32 | last - torch.arange(values.shape[1], device=values.device)
    return last - (keys.topk(k, dim=1).values & 0xFFFFFFFF)


ENGINE = SimilarEngine()
