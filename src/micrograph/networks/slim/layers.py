"""The layers of TF-slim's networks, with TensorFlow's padding."""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.networks.layers import GlobalAverage
from micrograph.networks.slim.table import Branch, Network, SlimLayer, layer


class SlimConvReLU(nn.Conv2d):
    """A convolution, the batch norm multiplied into its weights and bias, and the ReLU behind it.

    `kernel` is (y, x). Keeps the size (divides it by the stride) unless `valid`: then without
    padding. Padding is the same on both sides, as in TensorFlow where the stride is 1.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int], stride: int, valid: bool = False
    ) -> None:
        padding = (0, 0) if valid else (kernel[0] // 2, kernel[1] // 2)
        super().__init__(inputs, outputs, kernel, stride, padding)

    def reset_parameters(self) -> None:
        """Random weights under which values neither grow nor vanish with depth (He et al. 2015)."""
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y / stride, x / stride], values >= 0."""
        return F.relu(super().forward(x))


class SlimPool(nn.Module):
    """Maxima over 3x3 with a stride of 2, padded as TensorFlow's SAME does.

    An odd size is padded on both sides, an even one only at its end; padding is never the maximum.
    """

    kind: ClassVar[str] = "pool"

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to [batch, unit, y / 2, x / 2], rounded up."""
        odd = (x.shape[2] % 2, x.shape[3] % 2)
        return F.max_pool2d(x, 3, 2, odd, ceil_mode=True)


class Concat(nn.Module):
    """Maps side by side as one."""

    kind: ClassVar[str] = "cat"

    def forward(self, *maps: Tensor) -> Tensor:
        """Maps [batch, any, y, x] to [batch, sum, y, x]."""
        return torch.cat(maps, 1)


class Mixed(nn.Module):
    """Branches on the same input, concatenated."""

    kind: ClassVar[str] = "inception"

    def __init__(self, inputs: int, branches: Sequence[Branch]) -> None:
        super().__init__()
        self.outputs = 0
        self.steps: list[list[list[str]]] = []
        for number, branch in enumerate(branches):
            group = nn.Module()  # a name only; it is never called, so that it is no node
            self.add_module(f"Branch_{number}", group)
            self.steps.append([])
            units = inputs
            for step in branch:
                side = [layer(line) for line in ((step,) if isinstance(step, str) else step)]
                for one in side:
                    group.add_module(one.name, _module(one, units))
                if len(side) > 1:
                    group.add_module("concat", Concat())
                units = sum(one.units or units for one in side)
                self.steps[-1].append([one.name for one in side])
            self.outputs += units

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y', x']."""
        return torch.cat([self._branch(n, x) for n in range(len(self.steps))], 1)

    def _branch(self, number: int, x: Tensor) -> Tensor:
        group = self.get_submodule(f"Branch_{number}")
        for names in self.steps[number]:
            maps = [group.get_submodule(name)(x) for name in names]
            x = maps[0] if len(maps) == 1 else group.get_submodule("concat")(*maps)
        return x


def _module(one: SlimLayer, inputs: int) -> nn.Module:
    if one.units:
        return SlimConvReLU(inputs, one.units, one.kernel, one.stride, one.valid)
    if one.name.startswith("AvgPool"):  # TensorFlow's mean leaves the padding out
        return nn.AvgPool2d(3, one.stride, padding=1, count_include_pad=False)
    return nn.MaxPool2d(3, one.stride)


def inception(network: Network, classes: int) -> nn.Sequential:
    """The network of a table, then the mean over the map and a linear layer to `classes` logits."""
    net = nn.Sequential()
    units = 3
    for entry in network:
        if isinstance(entry, str):
            one = layer(entry)
            net.add_module(one.name, _module(one, units))
            units = one.units or units
        else:
            name, branches = entry
            block = Mixed(units, branches)
            net.add_module(name, block)
            units = block.outputs
    net.add_module("global_pool", GlobalAverage())
    net.add_module("logits", nn.Linear(units, classes))
    return net.eval()
