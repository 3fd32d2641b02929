"""Taking less than the values of nodes out of a pass, while it runs."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from micrograph.models.node import Node

LATENTS = 1 << 25
"""Values of the latents of a dictionary that are worked out together, about: 128 MB."""

LARGEST = 1 << 26
"""Values of one node on the pictures that go through a network together, at most: 256 MB. About six
times as much is in memory during a pass."""

HUGE = 200_000
"""Units of all nodes of a network, beyond which it and what is kept of its units take gigabytes by
themselves: then a quarter of `LARGEST` goes together."""
MANY_UNITS = 20_000
"""Units of all nodes that are reduced, beyond which memory is dear."""

Reduce = Callable[[str, Tensor], tuple[Tensor, ...]]
"""Makes less of the values [picture, unit, ...] of a node: tensors [picture, ...]."""


def joined(parts: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """What was made of some of the pictures at a time, in one."""
    if len(parts) == 1:
        return parts[0]
    return tuple(torch.cat(some) for some in zip(*parts, strict=True))


def many_units(nodes: Iterable[Node]) -> bool:
    """Whether memory is dear when these nodes are reduced."""
    return sum(node.units for node in nodes) > MANY_UNITS


def pictures_together(nodes: Iterable[Node], most: int) -> int:
    """How many pictures go through a network together when nodes are reduced: `most`, or fewer
    where a node has so many values that it would take gigabytes. It depends on the network alone.
    """
    nodes = list(nodes)
    largest = LARGEST // 4 if sum(node.units for node in nodes) > HUGE else LARGEST
    values = max((node.units * math.prod(node.shape) for node in nodes), default=1)
    return max(1, min(most, largest // max(1, values)))
