"""Weights: how strongly, and with which sign, each source leads to the target.

The kernels are those of `micrograph.weights`, of the network made linear between the two nodes.
Each counts with a strong answer of its source, because a large weight on a unit that is never large
counts for nothing.
"""

from dataclasses import dataclass

import numpy as np

from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.evidence import Line, SourceReading, line, reading
from micrograph.circuits.claims.statistics import share_at_least
from micrograph.claims import Claim, ClaimSource
from micrograph.errors import BadInput
from micrograph.models.linear.weights import weights as weights_between


@dataclass(frozen=True)
class Kernels:
    """Of a target, from all units of one node: `kernels` [unit, y, x]. `exact` says that the path
    is linear; else it was made so."""

    kernels: np.ndarray
    exact: bool

    @property
    def total(self) -> np.ndarray:
        """[unit]: the sum over positions."""
        found: np.ndarray = self.kernels.sum((1, 2))
        return found

    @property
    def size(self) -> np.ndarray:
        """[unit]: the sum of magnitudes over positions."""
        found: np.ndarray = np.abs(self.kernels).sum((1, 2))
        return found


def weights(bench: Bench, claim: Claim, kernels: dict[str, Kernels]) -> Line:
    """The line of evidence, from the kernels of each source's node."""
    return line(
        "weights",
        "sum of the source's kernel times a strong answer of it, positive with the sign claimed",
        "all other units of the source's node",
        [_reading(bench, source, kernels[source.unit.node]) for source in claim.sources],
    )


def _reading(bench: Bench, source: ClaimSource, found: Kernels) -> SourceReading:
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
            "exact": found.exact,
        },
    )


def kernels_of(bench: Bench, claim: Claim) -> dict[str, Kernels]:
    """The kernels from each node that has a source.

    What has to be held on a picture is held on the one where the target fires most.
    """
    nodes = dict.fromkeys(source.unit.node for source in claim.sources)
    return {node: _kernels(bench, claim, node) for node in nodes}


def _kernels(bench: Bench, claim: Claim, node: str) -> Kernels:
    target = claim.target
    try:
        found = weights_between(bench.model, node, target.node, units=target.unit)
    except BadInput:
        (best,) = bench.strongest(target, 1)
        picture = bench.answers.images(bench.model, [best])[0]
        found = weights_between(
            bench.model, node, target.node, units=target.unit, reference=picture
        )
    return Kernels(found.kernels[0].numpy(), found.exact)
