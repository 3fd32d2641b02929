"""Random small networks, each with the linear network that stands for it on a reference picture.

The linear one is written down independently, by hand for each part: what is affine without its
shift, activations left out, maxima as means over what is there, norms, gates and patterns of
attention with the values that they have on the reference. `frozen` stands for the network that
has the same values: activations keep the slope to where they are, maxima which of them won.
"""

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Part(nn.Module):
    """An affine part. `straight` is what takes its place, `reference` its input on the picture."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        return self(x) - self(torch.zeros_like(x))

    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        return self.straight(x, reference)


class Activation(Part):
    """Left out."""

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        return x

    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        zero = self(torch.zeros_like(reference))
        return x * torch.where(reference == 0, 0.0, (self(reference) - zero) / reference)


class Function(Activation):
    """An activation in plain code."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Maximum(Part):
    """The mean over what is there of each window."""

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        (pool,) = self.inner
        rows, columns = self(x).shape[2:]
        out = torch.zeros(*x.shape[:2], rows, columns)
        for y in range(rows):
            for z in range(columns):
                down = [y * pool.stride - pool.padding + k * pool.dilation for k in range(pool.kernel_size)]
                right = [z * pool.stride - pool.padding + k * pool.dilation for k in range(pool.kernel_size)]
                there = [
                    x[:, :, a, b]
                    for a in down
                    for b in right
                    if 0 <= a < x.shape[2] and 0 <= b < x.shape[3]
                ]
                out[:, :, y, z] = torch.stack(there).mean(0)
        return out


    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        (pool,) = self.inner
        _, winners = F.max_pool2d(
            reference,
            pool.kernel_size,
            pool.stride,
            pool.padding,
            pool.dilation,
            pool.ceil_mode,
            return_indices=True,
        )
        return x.flatten(2).gather(2, winners.flatten(2)).view(winners.shape)


class Scaled(Part):
    """A batch norm in eval mode, as what it is: a factor for each unit. (Torch's own gradients
    through one are wrong for one picture in some layouts.)"""

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        (norm,) = self.inner
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        return x * factor.detach().view(1, -1, 1, 1)


class Norm(Part):
    """A norm over groups of units and all positions: its mean is taken, what divides is held."""

    def __init__(self, groups: int, units: int, module: nn.Module) -> None:
        super().__init__(module)
        self.groups = groups
        self.scale = torch.empty(units).uniform_(0.5, 2)
        if getattr(module, "weight", None) is not None:
            module.weight.data = self.scale.clone()
        else:
            self.scale = torch.ones(units)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        flat, held = (v.reshape(v.shape[0], self.groups, -1) for v in (x, reference))
        spread = (held.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
        found = ((flat - flat.mean(-1, keepdim=True)) / spread).reshape(x.shape)
        return found * self.scale.view(1, -1, 1, 1)


class OverUnits(Part):
    """A layer norm over the units of each position."""

    def __init__(self, units: int) -> None:
        super().__init__(nn.LayerNorm(units))
        nn.init.uniform_(self.inner[0].weight, 0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        spread = (reference.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
        return (x - x.mean(1, keepdim=True)) / spread * self.inner[0].weight.view(1, -1, 1, 1)


class Gate(Part):
    """Squeeze and excitation."""

    def forward(self, x: Tensor) -> Tensor:
        return x * self.inner(x.mean((2, 3), keepdim=True)).sigmoid()

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        return x * self.inner(reference.mean((2, 3), keepdim=True)).sigmoid()


class Residual(Part):
    """Around a row of parts."""

    def __init__(self, row: "Row") -> None:
        super().__init__(row)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        return x + self.inner[0].straight(x, reference)

    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        return x + self.inner[0].frozen(x, reference)


class Branches(Part):
    """Two rows, their units behind each other."""

    def __init__(self, left: "Row", right: "Row") -> None:
        super().__init__(left, right)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([row(x) for row in self.inner], 1)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        return torch.cat([row.straight(x, reference) for row in self.inner], 1)

    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        return torch.cat([row.frozen(x, reference) for row in self.inner], 1)


class Twice(Part):
    """One row that is called twice."""

    def forward(self, x: Tensor) -> Tensor:
        (row,) = self.inner
        return row(row(x)) - x

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        (row,) = self.inner
        return row.straight(row.straight(x, reference), row(reference)) - x

    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        (row,) = self.inner
        return row.frozen(row.frozen(x, reference), row(reference)) - x


class Attention(Part):
    """Two heads over all positions, with a residual: `packed` as one matrix for all three, else as
    three, in plain code or by torch's function."""

    def __init__(self, units: int, packed: bool, fused: bool, residual: bool) -> None:
        super().__init__()
        self.packed, self.fused, self.residual = packed, fused, residual
        if packed:
            self.qkv = nn.Linear(units, 3 * units)
        else:
            self.q, self.k, self.v = (nn.Linear(units, units) for _ in range(3))
        self.out = nn.Linear(units, units)

    def _parts(self, t: Tensor) -> list[Tensor]:
        parts = self.qkv(t).chunk(3, -1) if self.packed else (self.q(t), self.k(t), self.v(t))
        return [p.reshape(*p.shape[:2], 2, -1).transpose(1, 2) for p in parts]

    def forward(self, x: Tensor) -> Tensor:
        t = x.flatten(2).transpose(1, 2)
        q, k, v = self._parts(t)
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v
        t = self.out(mixed.transpose(1, 2).flatten(2)) + t * self.residual
        return t.transpose(1, 2).reshape(x.shape)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        t, r = (v.flatten(2).transpose(1, 2) for v in (x, reference))
        q, k, _ = self._parts(r)
        pattern = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
        v = self._parts(t)[2] - self._parts(torch.zeros_like(t))[2]
        t = (pattern @ v).transpose(1, 2).flatten(2) @ self.out.weight.T + t * self.residual
        return t.transpose(1, 2).reshape(x.shape)


class Row(nn.Module):
    """Parts one behind the other."""

    def __init__(self, *parts: Part) -> None:
        super().__init__()
        self.parts = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.parts(x)

    def straight(self, x: Tensor, reference: Tensor) -> Tensor:
        for part in self.parts:
            x, reference = part.straight(x, reference), part(reference)
        return x

    def frozen(self, x: Tensor, reference: Tensor) -> Tensor:
        for part in self.parts:
            x, reference = part.frozen(x, reference), part(reference)
        return x


class Between(nn.Module):
    """`first`, some parts, `last`."""

    def __init__(self, row: Row, units: int, to: int) -> None:
        super().__init__()
        self.first, self.row, self.last = nn.Conv2d(3, units, 3, 1, 1), row, nn.Conv2d(to, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.row(self.first(x)))

    def jacobian(self, picture: Tensor, position: tuple[int, int]) -> Tensor:
        """[unit, source unit, y, x] of the linear network, at a position."""
        with torch.no_grad():
            there = self.first(picture)
        y, x = position

        def answer(values: Tensor) -> Tensor:
            return self.last(self.row.straight(values, there))[0, :, y, x]

        return torch.autograd.functional.jacobian(answer, there)[:, 0]

    def parts_of(self, picture: Tensor, unit: int) -> tuple[Tensor, tuple[int, int]]:
        """[source unit]: what each unit of `first` gives to a unit of `last` at the position where
        that is largest, and the position."""
        with torch.no_grad():
            there = self.first(picture)
            last = self(picture)[0, unit]
        y, x = divmod(int(last.argmax()), last.shape[1])
        values = there.clone().requires_grad_()
        answer = F.conv2d(self.row.frozen(values, there), self.last.weight)[0, unit, y, x]
        (slope,) = torch.autograd.grad(answer, values)
        return (slope * there)[0].sum((1, 2)), (y, x)


ACTIVATIONS: list[Callable[[], Part]] = [
    *(lambda kind=kind: Activation(kind()) for kind in (nn.ReLU, nn.GELU, nn.SiLU, nn.Hardswish)),
    *(lambda kind=kind: Activation(kind()) for kind in (nn.ELU, nn.LeakyReLU, nn.Mish, nn.ReLU6)),
    lambda: Function(lambda x: x * torch.sigmoid(1.702 * x)),
    lambda: Function(torch.relu),
]


def part(r: random.Random, shape: torch.Size, depth: int, straight_only: bool) -> Part:
    """Something to do with a map of that shape; `straight_only` for what is affine."""
    _, units, rows, columns = shape
    kernel, stride = r.choice([1, 2, 3, 3, 4, 5]), r.choice([1, 1, 2, 3])
    mode = r.choice(["zeros", "zeros", "reflect", "replicate", "circular"])
    groups = r.choice([g for g in (1, 2, units) if units % g == 0])
    to = r.choice([units, 4, 6]) if groups in (1, 2) else r.choice([1, 2]) * units

    def row(*shapes: torch.Size) -> Row:
        """Parts that leave the shape as it is."""
        made = [same(r, units)]
        if not straight_only:
            made.insert(r.randint(0, 1), r.choice(ACTIVATIONS)())
        return Row(*made)

    choices: list[Callable[[], Part]] = [
        *[
            lambda: Part(
                nn.Conv2d(
                    units,
                    to,
                    (kernel, r.choice([1, kernel])),
                    (stride, r.choice([1, stride])),
                    r.randint(0, 2),
                    (r.choice([1, 1, 2]), r.choice([1, 2])),
                    groups,
                    padding_mode=mode,
                )
            )
        ]
        * 3,
        lambda: Part(
            nn.ConvTranspose2d(
                units, units, r.choice([2, 3, 4]), 2, r.choice([0, 1]), r.choice([0, 1]), groups
            )
        ),
        lambda: Scaled(random_batch_norm(units)),
        lambda: Part(
            nn.AvgPool2d(
                r.choice([2, 3]),
                r.choice([1, 2]),
                r.choice([0, 1]),
                r.random() < 0.5,
                r.random() < 0.5,
            )
        ),
        lambda: Part(nn.Upsample(scale_factor=2, mode=r.choice(["nearest", "bilinear"]))),
        lambda: Residual(row()),
        lambda: Branches(row(), row()),
        lambda: Twice(row()),
    ]
    if not straight_only:
        choices += [
            *ACTIVATIONS[:4],
            lambda: Maximum(
                nn.MaxPool2d(
                    r.choice([2, 3]),
                    r.choice([1, 2]),
                    r.choice([0, 1]),
                    r.choice([1, 2]),
                    ceil_mode=r.random() < 0.5,
                )
            ),
            lambda: Norm(2, units, nn.GroupNorm(2, units)),
            lambda: Norm(units, units, nn.InstanceNorm2d(units, affine=r.random() < 0.5)),
            lambda: Norm(1, units, nn.GroupNorm(1, units)),
            lambda: OverUnits(units),
            lambda: Gate(nn.Conv2d(units, units, 1)),
        ]
        if rows * columns <= 200:
            choices += [
                lambda: Attention(units, r.random() < 0.5, r.random() < 0.5, r.random() < 0.7)
            ]
    return r.choice(choices)()


def same(r: random.Random, units: int) -> Part:
    """A convolution that leaves a map its size."""
    kernel = r.choice([1, 3, 5])
    return Part(nn.Conv2d(units, units, kernel, padding=kernel // 2))


def random_batch_norm(units: int) -> nn.BatchNorm2d:
    """With statistics of its own."""
    norm = nn.BatchNorm2d(units).eval()
    for tensor in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
        assert tensor is not None
        nn.init.uniform_(tensor, 0.5, 1.5)
    return norm


def random_between(seed: int, size: int = 12, parts: int = 4, straight_only: bool = False) -> Between:
    """A network with `parts` random parts between `first` and `last`."""
    r = random.Random(seed)
    torch.manual_seed(seed)
    units = r.choice([4, 6])
    x, found = torch.rand(1, units, size, size), []
    for _ in range(100):
        if len(found) == parts:
            break
        made = part(r, x.shape, 0, straight_only).eval()
        try:
            with torch.no_grad():
                y = made(x)
        except (RuntimeError, ValueError):
            continue  # too small for it
        if 3 <= min(y.shape[2:]) and max(y.shape[2:]) <= 2 * size and y.isfinite().all():
            found.append(made)
            x = y
    return Between(Row(*found), units, x.shape[1]).eval()
