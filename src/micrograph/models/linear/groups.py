"""The weights between two nodes in a few groups: which units are built from the same ones."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput, short
from micrograph.models.linear.factors import nonnegative_factors
from micrograph.models.linear.weights import Weights

GROUPS = 6
MOST = 32


@dataclass(frozen=True)
class WeightGroup:
    """Units of the target that are built from the same units of the source. `targets` and `sources`
    are (unit, part) with each unit's part of the group, the largest first; those with none are left
    out. `share` is the group's share of all that the groups give."""

    share: float
    targets: tuple[tuple[int, float], ...]
    sources: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class WeightGroups:
    """The excitatory weights from `source` to `target` in groups, the largest first. `explained` is
    the share of their square that the groups explain together."""

    model: str
    source: str
    target: str
    groups: tuple[WeightGroup, ...]
    explained: float

    def to_json(self, most: int = 20) -> dict[str, Any]:
        """Every group with at most so many units of each side."""
        return {
            "model": self.model,
            "source": self.source,
            "target": self.target,
            "explained": self.explained,
            "groups": [
                {
                    "share": one.share,
                    "targets": [{"unit": u, "part": p} for u, p in one.targets[:most]],
                    "sources": [{"unit": u, "part": p} for u, p in one.sources[:most]],
                }
                for one in self.groups
            ],
        }


def weight_groups(weights: Weights, count: int = GROUPS) -> WeightGroups:
    """The matrix of excitatory weights [target, source], of each kernel the sum of what is above
    zero, as a product of two matrices of `count` groups without anything below zero (non-negative
    factorization). The same in every run.

    Raises BadInput for a count that cannot be.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise BadInput(f"groups {short(count)} given; expected a number from 1 to {MOST}")
    parts, shares, explained = factored(weights.kernels, count)
    return WeightGroups(
        weights.model,
        weights.source,
        weights.target,
        tuple(
            WeightGroup(share, _listed(weights.units, rows), _listed(weights.sources, columns))
            for (rows, columns), share in zip(parts, shares, strict=True)
        ),
        explained,
    )


def factored(kernels: Tensor, count: int) -> tuple[list[tuple[Tensor, Tensor]], list[float], float]:
    """Of each group the parts of the target's and of the source's units in it, which add up to 1,
    and its share of all; and how much of the square they explain."""
    excitatory = torch.cat([part.clamp(min=0).sum((2, 3)) for part in torch.split(kernels, 64)])
    rows, columns, explained = nonnegative_factors(excitatory, count)
    masses = rows.sum(0) * columns.sum(1)
    order = [k for k in masses.argsort(descending=True, stable=True).tolist() if masses[k] > 0]
    parts = [(rows[:, k] / rows[:, k].sum(), columns[k] / columns[k].sum()) for k in order]
    return parts, [float(masses[k] / masses.sum()) for k in order], explained


def _listed(units: tuple[int, ...], parts: Tensor) -> tuple[tuple[int, float], ...]:
    order = parts.argsort(descending=True, stable=True).tolist()
    return tuple((units[k], float(parts[k])) for k in order if parts[k] > 0)
