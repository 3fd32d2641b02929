"""Hand-made networks for weights between nodes, each with the linear network that stands for it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Functional(nn.Module):
    """Plain code between two convolutions: `between` may use the three layers `a`, `b` and `c`."""

    def __init__(self, units: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, units, 3, padding=1)
        self.a = nn.Conv2d(units, units, 3, padding=1)
        self.b = nn.Conv2d(units, units, 3, padding=2, dilation=2, groups=2)
        self.c = nn.Conv2d(units, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.between(self.first(x)))

    def between(self, x: Tensor) -> Tensor:
        return self.b(self.a(x))


class Joined(Functional):
    """A concatenation of parts, a residual sum of scaled parts, and a slice."""

    def between(self, x: Tensor) -> Tensor:
        y = torch.cat([self.a(x)[:, 2:], 2 * self.b(x)[:, :2]], 1)
        return x - 0.5 * y


class Shared(Functional):
    """A module that is called twice, with the sum of both."""

    def between(self, x: Tensor) -> Tensor:
        y = self.a(x)
        return y + self.a(y)


class Written(Functional):
    """Parts of a map are written to, and a sum is made in place."""

    def between(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        y[:, :2] = self.a(x)[:, 1:3]
        y[:, 2:] += 3 * x[:, :2]
        y += self.b(x)
        y[:, 1].mul_(0.5)
        return y


class Strided(Functional):
    """A stride of two along y and three along x, uneven padding, and a mean over windows."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(4, 4, (3, 5), stride=(2, 1), padding=(0, 2))

    def between(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.a(F.pad(x, (1, 0, 2, 1))), 3, stride=(1, 3), padding=1)


class Upsampled(Functional):
    """A transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1)

    def between(self, x: Tensor) -> Tensor:
        return self.a(x)


class Enlarged(Functional):
    """Enlarged by nearest neighbour and made smaller again by half of it."""

    def between(self, x: Tensor) -> Tensor:
        return F.interpolate(self.a(x), scale_factor=2, mode="bilinear")


class LastChannels(Functional):
    """Units last, and a matrix over them; batch norms on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(4)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)
        self.linear = nn.Linear(4, 4)

    def between(self, x: Tensor) -> Tensor:
        y = self.norm(self.a(x)).to(memory_format=torch.channels_last)
        return self.linear(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Shuffled(Functional):
    """Pixels become units and units pixels, einsum, and a flip."""

    def between(self, x: Tensor) -> Tensor:
        y = F.pixel_shuffle(torch.cat([self.a(x)] * 4, 1), 2)
        y = F.pixel_unshuffle(y, 2)[:, :4]
        return torch.einsum("buyx,ub->buyx", y.flip(1), x.new_ones(4, 1))


LINEAR = [
    Functional,
    Joined,
    Shared,
    Written,
    Strided,
    Upsampled,
    Enlarged,
    LastChannels,
    Shuffled,
]
