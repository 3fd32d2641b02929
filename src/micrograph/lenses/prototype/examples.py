"""A unit's examples as its prototype is made from them: distributions, and what of them counts.

How much a channel carries the unit, and a position, is gradient times activation: by how much the
unit's largest value changes, to first order, when that is scaled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.models.altering import Alteration, altered
from micrograph.models.model import Model
from micrograph.optimize.distributions import quantiles, small, thinned

FOCUS = 0.9
"""Share of a distribution that positions get by their relevance; the rest all get alike."""
POSITIONS = 32
"""Of a map along each axis that are looked at, at most: eight examples have enough of them."""


class _Scaled(Alteration):
    """Every value times a factor of its own: [picture, unit, y, x], all 1, so that its gradient is
    gradient times activation."""

    def of(self, values: Tensor, change: int | None) -> Tensor:
        factor = self.factor if change is None else self.factor[change : change + 1]
        return values * factor.to(values)


@dataclass(frozen=True)
class SeenExample:
    """What a network has on some pictures that a unit answers to.

    own: the unit's values, [picture, position].
    values, relevance: of each lower node, [picture, unit, y, x]; relevance may be negative.
    """

    own: Tensor
    values: dict[str, Tensor]
    relevance: dict[str, Tensor]


def see(model: Model, images: Tensor, node: str, unit: int, below: Sequence[str]) -> SeenExample:
    """Run the network on `images` [picture, 3, y, x] of its own input size, and back from the
    largest value of `unit` on each to the nodes `below`."""
    factors = {}
    for name in below:
        shape = (len(images), model.node(name).units, *model.node(name).shape)
        factors[name] = torch.ones(shape, device=model.device, requires_grad=True)
    none = torch.zeros(len(images), 1, device=model.device)
    with torch.enable_grad(), altered(model, {n: _Scaled(f, none) for n, f in factors.items()}):
        found = model.run(images.to(model.device), [*below, node])
        own = found[node][:, unit].flatten(1) if found[node].ndim > 2 else found[node][:, [unit]]
        slopes = torch.autograd.grad(own.amax(1).sum(), list(factors.values()), allow_unused=True)
    return SeenExample(
        own.detach().float(),
        {name: found[name].detach().float() for name in below},
        {
            name: torch.zeros_like(factors[name]) if slope is None else slope
            for name, slope in zip(below, slopes, strict=True)
        },
    )


@dataclass(frozen=True)
class Reference:
    """What a unit's examples say of a picture of it.

    nodes: of each lower node the distribution of every channel [unit, level] and how much each
        carries the unit [unit], not negative; zero everywhere where the unit does not read it.
    colours: the distribution of the three colours, [3, level].
    typical, scale: the unit's mean activation on the examples, and the mean size of its values.
    """

    nodes: dict[str, tuple[Tensor, Tensor]]
    colours: Tensor
    typical: float
    scale: float


def reference(images: Tensor, seen: SeenExample) -> Reference | None:
    """From the examples `images` [picture, 3, y, x] and what the network has on them; None where
    nothing in the nodes below carries the unit on any of them."""
    shares = {name: r.clamp(min=0) for name, r in seen.relevance.items()}
    carried = torch.stack([s.flatten(1).sum(1) for s in shares.values()]).amax(0) > 0
    if not bool(carried.any()):
        return None
    nodes = {}
    for name, share in shares.items():
        channels = seen.relevance[name][carried].flatten(2).sum(2).mean(0).clamp(min=0)
        if not bool(channels.any()):  # what its channels do at some places they undo at others
            channels = share[carried].flatten(2).sum(2).mean(0)
        weights = thinned(_focused(share[carried])[:, None], POSITIONS)
        shown = thinned(seen.values[name][carried], POSITIONS)
        nodes[name] = quantiles(shown.flatten(2), weights.flatten(1)), channels
    read = [share for share in shares.values() if bool(share[carried].any())]
    finest = max(read, key=lambda share: share.shape[-1])
    colours = small(images.to(finest))[carried]
    weights = F.interpolate(
        _focused(finest[carried])[:, None], colours.shape[2:], mode="bilinear", align_corners=False
    )
    own = seen.own[carried]
    return Reference(
        nodes,
        quantiles(colours.flatten(2), weights.flatten(1)),
        own.mean().item(),
        own.abs().mean().item(),
    )


def _focused(share: Tensor) -> Tensor:
    """How much of the distribution each position is, [picture, y, x], from relevances that are not
    negative, [picture, unit, y, x]."""
    positions = share.sum(1)
    total = positions.sum((1, 2), keepdim=True)
    alike = 1 / positions[0].numel()
    return torch.where(total > 0, (1 - FOCUS) * alike + FOCUS * positions / total, alike)
