"""Integrated gradients at a node, along a path whose contributions add up.

The straight path from zero is taken where it is complete. Some networks jump at its very start:
behind a norm over units only the direction of a node's values counts, so that all of the target
arises before the first point, wherever that is. There the path begins at what the node gives on a
plain picture of the same mean colour. Where the way is merely curved, it gets more points; and
where that does not help either, they crowd at its start.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from micrograph.lenses.attribution.lens import BOUND
from micrograph.models.model import Model
from micrograph.models.replacing import replaced

FINER = 4
"""How many times as many points a path gets that is too curved."""
CROWDED = 4
"""Power that sends equal pieces to pieces that crowd at the start."""
TOGETHER = 64
"""Points that go through the network in one pass."""


@dataclass(frozen=True)
class Share:
    """What one node contributed to a target: `values` [unit, y, x] (or [unit]) sum up to the
    target less its `baseline`, the target at the start of the path (see `NodeContribution`)."""

    node: str
    values: Tensor
    baseline: float
    start: str = "zero"
    points: int = 0

    @property
    def units(self) -> Tensor:
        """[unit]: over all positions."""
        return self.values.flatten(1).sum(1) if self.values.ndim > 1 else self.values

    def missed(self, target: float) -> float:
        """What of `target` is neither in the contributions nor in the baseline."""
        return target - self.baseline - self.values.double().sum().item()

    def is_complete(self, target: float) -> bool:
        """Whether it misses no more than `BOUND`."""
        there_is = max(abs(target), abs(target - self.baseline))
        return not abs(self.missed(target)) > BOUND * there_is


@dataclass(frozen=True)
class Way:
    """A share along one path; `jump` is what of the target arises before the first point, beyond
    what the gradient there says."""

    share: Share
    jump: float


def integrate(
    model: Model,
    picture: Tensor,
    source: str,
    values: Tensor,
    starts: Mapping[str, Tensor],
    node: str,
    positions: Mapping[int, int],
    targets: Mapping[int, float],
    path: int,
) -> dict[int, Share]:
    """The share of `source` in each unit of `node` at its position (row-major).

    `values` [1, unit, ...] are those of the source on `picture`, `starts` those where paths begin,
    by name; `targets` those of the units. Of the paths that were tried, that counts which comes
    first to be complete, or misses least.
    """

    def along(start: str, points: int, power: int, units: Mapping[int, int]) -> dict[int, Way]:
        return integrate_along(
            model, picture, source, values, start, starts[start], node, units, points, power
        )

    found = along("zero", path, 1, positions)
    best = {unit: way.share for unit, way in found.items()}
    for start, points, power in _next_paths(path):
        wanted = {
            unit: positions[unit]
            for unit, share in best.items()
            if not share.is_complete(targets[unit])
            # More points do not help where all of it lies before the first.
            and (start != "zero" or not _jumps(found[unit], targets[unit]))
        }
        for unit, way in along(start, points, power, wanted).items() if wanted else ():
            one = targets[unit]
            if abs(way.share.missed(one)) < abs(best[unit].missed(one)):
                best[unit] = way.share
    return best


def _next_paths(path: int) -> Iterator[tuple[str, int, int]]:
    """Where the paths begin that are tried behind the first, their points, and how these crowd."""
    yield "zero", FINER * path, 1
    yield "plain", path, 1
    yield "plain", FINER * path, 1
    yield "plain", FINER * path, CROWDED


def _jumps(way: Way, target: float) -> bool:
    return abs(way.jump) > abs(way.share.missed(target)) / 2


def integrate_along(
    model: Model,
    picture: Tensor,
    source: str,
    values: Tensor,
    start: str,
    begin: Tensor,
    node: str,
    positions: Mapping[int, int],
    points: int,
    power: int = 1,
) -> dict[int, Way]:
    """Values less those at the start, times the mean gradient on the way.

    The gradient is taken at the middles of equal pieces; one more point is the start itself, for
    the baseline. With a `power` above 1 pieces and points crowd at the start.
    """
    middles = ((torch.arange(points, device=values.device) + 0.5) / points) ** power
    pieces = (torch.arange(points + 1, device=values.device) / points).pow(power).diff()
    alphas = torch.cat([middles, middles.new_zeros(1)])
    way = values.float() - begin.float()
    sums: dict[int, Tensor] = {}
    slopes: dict[int, Tensor] = {}  # at the first point
    answers: dict[int, list[Tensor]] = {unit: [] for unit in positions}
    done = 0
    for some in torch.split(alphas, TOGETHER):
        at = begin.float() + some.view(-1, *[1] * (values.ndim - 1)) * way
        at.requires_grad_(True)
        with replaced(model, source, at):
            reached = model.run(picture, [node], pre_relu=True)[node].float()
        maps = reached.flatten(2) if reached.ndim > 2 else reached[..., None]
        inner = int((some > 0).sum())
        for unit, position in positions.items():
            here = maps[:, unit, position]
            answers[unit].append(here.detach())
            gradient = _gradient(here[:inner].sum(), at)
            slopes.setdefault(unit, gradient[0])
            # One pass gives the mean at once, as it was always rounded.
            part = (
                gradient[:inner].mean(0)
                if inner == points and power == 1
                else torch.tensordot(pieces[done : done + inner], gradient[:inner], 1)
            )
            sums[unit] = sums[unit] + part if unit in sums else part
        done += inner
    found = {}
    for unit in positions:
        reached_by = torch.cat(answers[unit])
        baseline = reached_by[-1].item()
        share = Share(source, (sums[unit] * way[0]).cpu(), baseline, start, points)
        expected = (slopes[unit] * way[0]).sum().item() * alphas[0].item()
        found[unit] = Way(share, reached_by[0].item() - baseline - expected)
    return found


def _gradient(value: Tensor, at: Tensor) -> Tensor:
    """Of `value` at each of the points `at`; zero where it does not depend on them."""
    if not value.requires_grad:
        return torch.zeros_like(at)
    (found,) = torch.autograd.grad(value, at, retain_graph=True, allow_unused=True)
    return torch.zeros_like(at) if found is None else found
