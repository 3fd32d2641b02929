"""Distributions of channels' values: an objective that brings a picture's to given ones.

After Görgün et al., "VITAL: More Understandable Feature Visualization through Distribution
Alignment and Relevant Information Flow", ICCV 2025 (arXiv 2503.22399). Where values lie in the map
does not count, only which there are: both sides are sorted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.optimize.objectives import Activations, Objective

MOST_LEVELS = 512
"""Of a distribution: finer ones are kept at as many quantiles."""
SIDE = 64
"""Side in pixels at which colours are compared, at most: fine grain is no colour."""
MAP = 16
"""Side of the maps that are compared while a picture is optimized, at most. Sorting is what a step
costs beside the network; of larger maps every second or further position is enough, because the
picture moves at every step."""
_TINY = 1e-6
"""Of a node's mean square: channels weaker than that are not blown up."""


def quantiles(values: Tensor, weights: Tensor, levels: int | None = None) -> Tensor:
    """The distribution of each channel, as its values at `levels` equal steps, smallest first:
    [channel, level], the mean over pictures.

    `values` are [picture, channel, position]; `weights` [picture, position], above 0, say how much
    of the distribution each position is. By default there are as many levels as positions (at most
    MOST_LEVELS); with equal weights these are the sorted values.
    """
    pictures, channels, positions = values.shape
    levels = min(positions, MOST_LEVELS) if levels is None else levels
    ordered, order = values.double().sort(dim=2)
    share = (weights / weights.sum(1, keepdim=True)).double()[:, None].expand_as(values)
    own = share.gather(2, order)
    middle = own.cumsum(2) - own / 2  # where in the distribution each value lies
    at = (torch.arange(levels, device=values.device, dtype=torch.float64) + 0.5) / levels
    at = at.expand(pictures, channels, levels).contiguous()
    above = torch.searchsorted(middle.contiguous(), at).clamp(1, max(1, positions - 1))
    if positions == 1:
        return ordered.expand(-1, -1, levels).mean(0).float()
    low, high = middle.gather(2, above - 1), middle.gather(2, above)
    part = ((at - low) / (high - low).clamp(min=1e-300)).clamp(0, 1)
    first, second = ordered.gather(2, above - 1), ordered.gather(2, above)
    return torch.lerp(first, second, part).mean(0).float()


def at_levels(known: Tensor, levels: int) -> Tensor:
    """Quantiles [..., channel, level] at another number of levels, linear between those known."""
    if known.shape[-1] == levels:
        return known
    flat = known.flatten(0, -2)[None]
    found = F.interpolate(flat, size=levels, mode="linear", align_corners=False)
    return found.view(*known.shape[:-1], levels)


@dataclass(frozen=True)
class Wanted:
    """What one node's values are to be like, for each picture of a batch.

    channels: the channels that count, whole numbers [picture, k].
    quantiles: their distributions, [picture, k, level].
    weights: how much each counts, [picture, k]; they add up to 1, or to 0 for a picture of which
        the node says nothing.
    """

    channels: Tensor
    quantiles: Tensor
    weights: Tensor

    @classmethod
    def most_relevant(cls, known: Tensor, relevance: Tensor, most: int) -> "Wanted":
        """For one picture: the distributions `known` [channel, level] of the `most` channels of
        largest `relevance` [channel], which is not negative."""
        top = relevance.topk(min(most, len(relevance)))
        weights = top.values / top.values.sum().clamp(min=torch.finfo(torch.float32).tiny)
        return cls(top.indices[None], known[top.indices][None], weights[None])

    @classmethod
    def stacked(cls, parts: "list[Wanted]") -> "Wanted":
        """For the pictures of all `parts`, one after the other."""
        return cls(
            torch.cat([p.channels for p in parts]),
            torch.cat([p.quantiles for p in parts]),
            torch.cat([p.weights for p in parts]),
        )


def apart(values: Tensor, wanted: Wanted) -> Tensor:
    """How far distributions are from those wanted, [picture]: 0 where they are the same.

    `values` are [picture, channel, y, x]. Of each channel the squared distance of the sorted values
    from the quantiles (the squared Wasserstein distance), in shares of the mean square of these;
    the mean over channels by their weights.
    """
    flat = values.flatten(2)
    positions = flat.shape[2]
    index = wanted.channels[..., None].expand(-1, -1, positions)
    ordered = flat.gather(1, index).sort(dim=2).values
    square = wanted.quantiles.square().mean(2)
    floor = _TINY * square.mean(1, keepdim=True) + torch.finfo(torch.float32).tiny
    distance = (ordered - at_levels(wanted.quantiles, positions)).square().mean(2)
    return (wanted.weights * distance / (square + floor)).sum(1)


def small(images: Tensor) -> Tensor:
    """Pictures [batch, 3, y, x] as small as colours are compared."""
    factor = -(-images.shape[-1] // SIDE)
    return F.avg_pool2d(images, factor) if factor > 1 else images


def thinned(values: Tensor, most: int = MAP) -> Tensor:
    """Values [picture, channel, y, x] at every n-th position along both axes, so that at most
    `most` are left along each."""
    step = -(-max(values.shape[2:]) // most)
    return values[:, :, step // 2 :: step, step // 2 :: step]


def alike(nodes: Mapping[str, Wanted], colours: Wanted, strength: float) -> Objective:
    """For as many pictures as were `wanted`: minus the mean distance of the distributions at those
    nodes that say something of the picture, and minus `strength` times that of its colours. Of
    large maps some positions stand for all (`thinned`)."""
    said = torch.stack([wanted.weights.sum(1) > 0 for wanted in nodes.values()]).sum(0)

    def value(activations: Activations, images: Tensor) -> Tensor:
        distances = [apart(thinned(activations[node]), wanted) for node, wanted in nodes.items()]
        mean = torch.stack(distances).sum(0) / said.clamp(min=1)
        return -mean - strength * apart(small(images), colours)

    return Objective(tuple(nodes), value, len(colours.channels), label="alike", driven=())
