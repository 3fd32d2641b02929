"""Layers that several architectures of the zoo share."""

from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.networks.response_norm import normalized


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


class Halves(nn.Module):
    """A square convolution without bias in two groups: half of the units reads half of the inputs.

    AlexNet's layers were spread over two graphics cards like this. The output holds a, b.
    """

    kind: ClassVar[str] = "conv"

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        half = inputs // 2, outputs // 2, kernel
        self.a = nn.Conv2d(*half, padding=kernel // 2, bias=False)
        self.b = nn.Conv2d(*half, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y, x]."""
        first, second = x.chunk(2, 1)
        return torch.cat((self.a(first), self.b(second)), 1)


class Shift(nn.Module):
    """A number added to every unit."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to the same shape."""
        return x + self.bias[:, None, None]


class ShiftedReLU(nn.Module):
    """A convolution without bias, then its bias and ReLU: both sums are places to look at."""

    kind: ClassVar[str] = "activation"

    def __init__(self, linear: nn.Module, units: int) -> None:
        super().__init__()
        self.linear = linear
        self.shift = Shift(units)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, unit, y', x'], values >= 0."""
        return F.relu(self.shift(self.linear(x)))


class LinearReLU(nn.Linear):
    """A matrix with bias and the ReLU behind it."""

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs] to [batch, outputs], values >= 0."""
        return F.relu(super().forward(x))


class Flatten(nn.Flatten):
    """A map of one certain size as a vector, unit by unit: what stands before a matrix.

    Pictures of other sizes give other maps, for which the matrix was not made: these are averaged,
    or repeated, to that size, as torchvision does.
    """

    kind: ClassVar[str] = "flatten"

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to [batch, unit * side * side]."""
        if x.shape[2:] != (self.side, self.side):
            x = F.adaptive_avg_pool2d(x, self.side)
        return super().forward(x)


class SameConvReLU(nn.Conv2d):
    """A square convolution, padded as TensorFlow's SAME does, with bias and the ReLU behind it.

    The output has ceil(size / stride) positions; what padding that takes is halved between both
    sides, and an odd one goes to the end: 2 before and 3 behind for 7x7/2 on an even size.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__(inputs, outputs, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y / stride, x / stride], values >= 0."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        pads: list[int] = []
        for size in (x.shape[3], x.shape[2]):  # F.pad begins with the last axis
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return F.relu(super().forward(F.pad(x, pads)))


class SamePool(nn.Module):
    """Maxima over 3x3 with a stride of 2, padded as TensorFlow's SAME does.

    An odd size is padded on both sides, an even one at its end; padding is never the maximum.
    """

    kind: ClassVar[str] = "pool"

    def forward(self, x: Tensor) -> Tensor:
        """[batch, unit, y, x] to [batch, unit, y / 2, x / 2], rounded up."""
        odd = (x.shape[2] % 2, x.shape[3] % 2)
        return F.max_pool2d(x, 3, 2, odd, ceil_mode=True)


class LocalResponseNorm(nn.Module):
    """Normalization across neighbouring units: `x * (k + alpha / size * window(x²)) ** -beta`.

    Equals `F.local_response_norm(x, size, alpha, beta, k)` for an odd size (AlexNet, section 3.3,
    with alpha divided by the size as Caffe does; TensorFlow does not divide it and calls
    (size - 1) / 2 the radius). `beta` is 0.75 or 0.5. The sum over the window is a 1x1 convolution
    with a band of ones, several times faster on a CPU than torch's padded average over a fifth
    axis.
    """

    kind: ClassVar[str] = "norm"
    band: Tensor
    offset: Tensor

    def __init__(
        self, units: int, size: int = 5, alpha: float = 1e-4, k: float = 1.0, beta: float = 0.75
    ) -> None:
        super().__init__()
        if beta not in (0.5, 0.75):  # others would need a power, many times slower
            raise ValueError(f"beta {beta} given, expected 0.5 or 0.75")
        at = torch.arange(units)
        band = ((at[:, None] - at[None, :]).abs() <= size // 2).float()
        self.register_buffer("band", band[:, :, None, None], persistent=False)
        self.register_buffer("offset", torch.full((units,), k), persistent=False)
        self.gain = (alpha / size) ** 0.5
        self.beta = beta

    def forward(self, x: Tensor) -> Tensor:
        """[batch, units, y, x] to the same shape."""
        return normalized(x, self.band, self.offset, self.gain, self.beta)


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
