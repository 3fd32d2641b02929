"""InceptionV1 with its two auxiliary heads, which its successors left out."""

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.networks.layers import ConvReLU, Flatten, LinearReLU


class AveragePool(nn.Module):
    """Means over 5x5 with a stride of 3, within the map."""

    kind: ClassVar[str] = "pool"

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to [batch, unit, (y - 2) / 3, (x - 2) / 3]."""
        return F.avg_pool2d(x, 5, stride=3)


class Head(nn.Module):
    """A classifier on an inner map (Szegedy et al. 2014, section 5)."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.pool = AveragePool()
        self.bottleneck = ConvReLU(inputs, 128, 1)
        self.flatten = Flatten(4)
        self.nn = LinearReLU(128 * 4 * 4, 1024)
        self.softmax = nn.Linear(1024, classes)

    def fits(self, x: Tensor) -> bool:
        """Whether the map is large enough for the pool's window."""
        return min(x.shape[2:]) >= 5

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x], at least 5 x 5, to scores [batch, classes]."""
        scores: Tensor = self.softmax(self.nn(self.flatten(self.bottleneck(self.pool(x)))))
        return scores


class WithHeads(nn.Module):
    """A chain of layers, and heads on some of them. A head may be None.

    Pictures that are too small for the heads pass them by.
    """

    def __init__(
        self,
        trunk: Mapping[str, nn.Module],
        heads: Mapping[str, tuple[str, nn.Module]],
        top: Mapping[str, nn.Module],
    ) -> None:
        super().__init__()
        self.trunk, self.top = tuple(trunk), tuple(top)
        self.heads = {name: on for name, (on, _) in heads.items()}
        parts = (*trunk.items(), *((n, head) for n, (_, head) in heads.items()), *top.items())
        for name, module in parts:
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, 3, y, x] to scores [batch, classes]."""
        read: dict[str, Tensor] = {}
        for name in self.trunk:
            x = self.get_submodule(name)(x)
            if name in self.heads.values():
                read[name] = x
        for name, on in self.heads.items():
            head = getattr(self, name)
            if head is not None and head.fits(read[on]):
                head(read[on])
        for name in self.top:
            x = self.get_submodule(name)(x)
        return x
