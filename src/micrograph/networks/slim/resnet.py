"""The residual networks of TF-slim with activation before convolution (He et al. 2016, v2)."""

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.networks.layers import GlobalAverage
from micrograph.networks.slim.layers import SlimConvReLU, SlimPool

EPSILON = 1e-5


class NormReLU(nn.BatchNorm2d):
    """Batch norm with stored statistics, and the ReLU behind it."""

    def __init__(self, units: int) -> None:
        super().__init__(units, eps=EPSILON, track_running_stats=False)  # they are constants
        self.register_buffer("running_mean", torch.zeros(units))
        self.register_buffer("running_var", torch.ones(units))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to the same shape, values >= 0."""
        return F.relu(super().forward(x))


class Add(nn.Module):
    """The sum of two maps."""

    kind: ClassVar[str] = "add"

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """[batch, unit, y, x] twice to the same shape."""
        return a + b


class Unit(nn.Module):
    """A bottleneck of `width` units beside a shortcut; both start at the normed input.

    The shortcut is the input itself, thinned out where the unit strides, or a 1x1 convolution of
    the normed input where the number of units changes. Gives 4 times `width` units.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.preact = NormReLU(inputs)
        self.projects = inputs != 4 * width
        self.shortcut: nn.Module | None = None
        if self.projects:
            self.shortcut = nn.Conv2d(inputs, 4 * width, 1, stride)
        elif stride > 1:
            self.shortcut = nn.MaxPool2d(1, stride)
        self.conv1 = SlimConvReLU(inputs, width, (1, 1), 1)
        self.conv2 = SlimConvReLU(width, width, (3, 3), stride)
        self.conv3 = nn.Conv2d(width, 4 * width, 1)
        self.add = Add()

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, 4 * width, y / stride, x / stride], rounded up."""
        normed = self.preact(x)
        short = normed if self.projects else x
        if self.shortcut is not None:
            short = self.shortcut(short)
        total: Tensor = self.add(short, self.conv3(self.conv2(self.conv1(normed))))
        return total


class ResNet(nn.Module):
    """`blocks` are (width, number of units); all but the last stride by 2 in their last unit."""

    def __init__(self, blocks: Mapping[str, tuple[int, int]], classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3)
        self.pool1 = SlimPool()
        units = 64
        self.blocks = tuple(blocks)
        for name, (width, count) in blocks.items():
            block = nn.Module()  # a name only; it is never called, so that it is no node
            self.add_module(name, block)
            for number in range(1, count + 1):
                stride = 2 if number == count and name != self.blocks[-1] else 1
                block.add_module(f"unit{number}", Unit(units, width, stride))
                units = 4 * width
        self.postnorm = NormReLU(units)
        self.global_pool = GlobalAverage()
        self.logits = nn.Linear(units, classes)

    def forward(self, x: Tensor) -> Tensor:
        """RGB [batch, 3, y, x] in -1..1 to logits [batch, class]."""
        x = self.pool1(self.conv1(x))
        for name in self.blocks:
            for unit in self.get_submodule(name).children():
                x = unit(x)
        logits: Tensor = self.logits(self.global_pool(self.postnorm(x)))
        return logits
