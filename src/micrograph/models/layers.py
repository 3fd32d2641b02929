"""Layers that several architectures of the zoo share."""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvReLU(nn.Conv2d):
    """A square convolution with bias and the ReLU behind it. Keeps the size by default."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int | None = None
    ) -> None:
        padding = kernel // 2 if padding is None else padding
        super().__init__(inputs, outputs, kernel, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y / stride, x / stride], values >= 0."""
        return F.relu(super().forward(x))


class LocalResponseNorm(nn.Module):
    """Normalization across neighbouring units: `x * (k + alpha / size * window(x²)) ** -0.75`.

    Equals `F.local_response_norm(x, size, alpha, 0.75, k)` for an odd size (AlexNet, section 3.3,
    with alpha divided by the size as Caffe does). The sum over the window is a 1x1 convolution with
    a band of ones, several times faster on a CPU than torch's padded average over a fifth axis.
    """

    kind: ClassVar[str] = "norm"
    band: Tensor
    offset: Tensor

    def __init__(self, units: int, size: int = 5, alpha: float = 1e-4, k: float = 1.0) -> None:
        super().__init__()
        at = torch.arange(units)
        band = ((at[:, None] - at[None, :]).abs() <= size // 2).float()
        self.register_buffer("band", band[:, :, None, None], persistent=False)
        self.register_buffer("offset", torch.full((units,), k), persistent=False)
        self.gain = (alpha / size) ** 0.5

    def forward(self, x: Tensor) -> Tensor:
        """[batch, units, y, x] to the same shape."""
        # The gain goes in before squaring: activations of thousands would overflow half precision.
        s = F.conv2d((x * self.gain).square(), self.band, self.offset)
        root = s.rsqrt()
        return x * (root * root.sqrt())


class Inception(nn.Module):
    """The module of GoogLeNet: four branches on the same input, concatenated.

    `widths` are the numbers of units of 1x1, 3x3_reduce, 3x3, 5x5_reduce, 5x5 and pool_proj
    (Szegedy et al. 2014, table 1). The output holds 1x1, 3x3, 5x5, pool_proj, in this order.
    """

    kind: ClassVar[str] = "inception"

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        one, three_reduce, three, five_reduce, five, pool = widths
        self.outputs = one + three + five + pool
        self.add_module("1x1", ConvReLU(inputs, one, 1))
        self.add_module("3x3_reduce", ConvReLU(inputs, three_reduce, 1))
        self.add_module("3x3", ConvReLU(three_reduce, three, 3))
        self.add_module("5x5_reduce", ConvReLU(inputs, five_reduce, 1))
        self.add_module("5x5", ConvReLU(five_reduce, five, 5))
        self.add_module("pool", nn.MaxPool2d(3, stride=1, padding=1))
        self.add_module("pool_proj", ConvReLU(inputs, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y, x]."""

        def chain(*names: str) -> Tensor:
            y = x
            for name in names:
                y = self.get_submodule(name)(y)
            return y

        branches = (
            chain("1x1"),
            chain("3x3_reduce", "3x3"),
            chain("5x5_reduce", "5x5"),
            chain("pool", "pool_proj"),
        )
        return torch.cat(branches, 1)


class Fire(nn.Module):
    """The module of SqueezeNet: few 1x1 units, expanded by 1x1 and 3x3 (Iandola et al. 2016).

    The output holds expand1x1, expand3x3, in this order.
    """

    kind: ClassVar[str] = "fire"

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze1x1 = ConvReLU(inputs, squeeze, 1)
        self.expand1x1 = ConvReLU(squeeze, expand, 1)
        self.expand3x3 = ConvReLU(squeeze, expand, 3)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, 2 * expand, y, x]."""
        x = self.squeeze1x1(x)
        return torch.cat((self.expand1x1(x), self.expand3x3(x)), 1)


class GlobalAverage(nn.Module):
    """The mean over the whole map."""

    kind: ClassVar[str] = "pool"

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to [batch, unit]."""
        return x.mean((2, 3))
