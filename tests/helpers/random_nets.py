"""Small random networks of everything that moves, picks or mixes the positions of a map."""

import random
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Step(nn.Module):
    """A function of a map, as a module; `parts` are the modules that it calls."""

    def __init__(self, name: str, function: Callable[..., Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.name, self.function, self.parts = name, function, nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.parts)

    def extra_repr(self) -> str:
        return self.name


Mode = Literal["zeros", "reflect", "replicate", "circular"]
MODES: tuple[Mode, ...] = ("zeros", "zeros", "reflect", "replicate", "circular")


def convolution(r: random.Random, units: int, to: int) -> nn.Module:
    kernel, dilation = r.choice([1, 2, 3, 3, 5]), r.choice([1, 1, 2])
    mode = r.choice(MODES)
    most = min(3, (kernel - 1) * dilation) if mode != "zeros" else 3
    padding = r.randint(0, most)
    stride = r.choice([1, 1, 2, 3])
    return nn.Conv2d(units, to, kernel, stride, padding, dilation, padding_mode=mode)


def same(r: random.Random, units: int, kernel: int) -> nn.Module:
    """A convolution that leaves the map its size."""
    mode = r.choice(MODES)
    return nn.Conv2d(units, units, kernel, padding=kernel // 2, padding_mode=mode)


def written(x: Tensor, conv: nn.Module) -> Tensor:
    """A convolution of half of the units, written over them."""
    y = x.clone()
    y[:, : x.shape[1] // 2] = conv(x[:, : x.shape[1] // 2])
    return y


def shifted(x: Tensor, along: int, by: int) -> Tensor:
    """Half of the units moved by some rows or columns, the rest as they are."""
    y = torch.zeros_like(x)
    half, size = x.shape[1] // 2, x.shape[along]
    y[:, half:] = x[:, half:]
    y[:, :half].narrow(along, by, size - by).copy_(x[:, :half].narrow(along, 0, size - by))
    return y


def windows(x: Tensor, size: int, mix: Callable[[Tensor], Tensor]) -> Tensor:
    """Something done to the positions within each window: [batch, unit, windows, place in it]."""
    b, u, y, _ = x.shape
    x = x.view(b, u, y // size, size, -1, size).transpose(3, 4)
    shape = x.shape
    x = mix(x.reshape(b, u, shape[2] * shape[3], size * size))
    return x.view(shape).transpose(3, 4).reshape(b, u, y, -1)


def to_depth(x: Tensor, size: int) -> Tensor:
    """Space to depth in plain code."""
    b, u, y, w = x.shape
    x = x.view(b, u, y // size, size, w // size, size)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(b, -1, y // size, w // size)


def shuffled(x: Tensor, groups: int) -> Tensor:
    """Channel shuffle in plain code."""
    b, u, y, w = x.shape
    return x.view(b, groups, u // groups, y, w).transpose(1, 2).reshape(b, u, y, w)


def step(r: random.Random, shape: tuple[int, ...]) -> nn.Module:
    """Something to do to a map of that shape."""
    _, units, rows, columns = shape
    even = rows % 2 == columns % 2 == 0
    along = r.choice([2, 3])
    kernel = r.choice([1, 3, 5])
    choices: list[Callable[[], nn.Module]] = [
        *[lambda: convolution(r, units, r.choice([2, 4]))] * 4,
        lambda: nn.ConvTranspose2d(
            units, 4, r.choice([2, 3, 4]), r.choice([1, 2]), padding=r.choice([0, 1])
        ),
        lambda: nn.AvgPool2d(r.choice([2, 3]), r.choice([1, 2]), ceil_mode=r.random() < 0.5),
        lambda: nn.MaxPool2d(3, r.choice([1, 2]), 1, r.choice([1, 2])),
        lambda: nn.AdaptiveAvgPool2d((r.randint(1, rows), r.randint(1, columns))),
        lambda: nn.BatchNorm2d(units).eval(),
        lambda: nn.InstanceNorm2d(units),
        lambda: nn.GroupNorm(1, units),
        lambda: nn.BatchNorm2d(units, track_running_stats=False),
        lambda: Step(
            "norm over units",
            lambda x, n: n(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
            nn.LayerNorm(units),
        ),
        lambda: nn.Upsample(scale_factor=2, mode=r.choice(["nearest", "bilinear", "bicubic"])),
        lambda: nn.Upsample(size=(rows + 3, columns + 5), mode="bilinear", align_corners=True),
        lambda: Step("crop", lambda x: x[:, :, 1:, :-1]),
        lambda: Step("first beside all", lambda x: x.narrow(along, 0, 1) + x),
        lambda: Step("strided", lambda x: x[:, :, ::2, 1::2]),
        lambda: Step("padded", lambda x: F.pad(x, (2, 1, 0, 3))),
        lambda: nn.ReflectionPad2d(1),
        lambda: Step("flipped", lambda x: x.flip(along)),
        lambda: Step("rolled", lambda x: x.roll(1, along)),
        lambda: Step("flipped units", lambda x: x.flip(1)),
        lambda: Step("residual", lambda x, c: x + c(x), same(r, units, kernel)),
        lambda: Step(
            "branches",
            lambda x, a, b: torch.cat([a(x), b(x)], 1),
            same(r, units, 1),
            same(r, units, 3),
        ),
        lambda: Step(
            "rows below rows", lambda x, c: torch.cat([x, c(x)], along), same(r, units, kernel)
        ),
        lambda: Step("mean along an axis", lambda x: x * x.mean(along, keepdim=True)),
        lambda: Step("softmax along an axis", lambda x: x.softmax(along)),
        lambda: Step("length", lambda x: F.normalize(x, dim=1)),
        lambda: Step("gated", lambda x: x * x.mean((2, 3), keepdim=True).sigmoid()),
        lambda: Step("cumulated", lambda x: x.cumsum(along)),
        lambda: Step("chosen", lambda x: x.index_select(along, torch.tensor([1, 0, 0]))),
        lambda: Step(
            "stacked", lambda x, c: torch.stack([x, c(x)], 0).mean(0), same(r, units, kernel)
        ),
    ]
    if units % 2 == 0:
        choices += [
            lambda: Step("shuffled", lambda x: shuffled(x, 2)),
            lambda: Step("written", written, same(r, units // 2, kernel)),
            lambda: Step("shifted", lambda x: shifted(x, along, 1)),
            lambda: Step("halves", lambda x: x.chunk(2, 1)[0] * x.chunk(2, 1)[1].tanh()),
        ]
        choices += [
            lambda: Step("largest unit", lambda x: x - x.amax(1, keepdim=True)),
            lambda: Step("largest unit of max", lambda x: x - x.max(1, keepdim=True)[0]),
            lambda: Step("half of the units", lambda x: x[:, units // 2 :]),
            lambda: nn.Conv2d(units, units, kernel, padding=kernel // 2, groups=2),
        ]
    if units % 4 == 0:
        choices += [lambda: nn.PixelShuffle(2)]
    if even:
        choices += [
            lambda: nn.PixelUnshuffle(2),
            lambda: nn.Sequential(
                Step("to depth", lambda x: to_depth(x, 2)), nn.Conv2d(4 * units, 4, 3, padding=1)
            ),
            lambda: Step(
                "slices to depth",
                lambda x: torch.cat([x[:, :, ::2, ::2], x[:, :, 1::2, 1::2]], 1),
            ),
            lambda: Step(
                "window means", lambda x: windows(x, 2, lambda w: w - w.mean(3, keepdim=True))
            ),
            lambda: Step("window softmax", lambda x: windows(x, 2, lambda w: w.softmax(3))),
            lambda: Step(
                "means of patches",
                lambda x: x.view(*x.shape[:2], rows // 2, 2, columns // 2, 2).mean((3, 5)),
            ),
            lambda: Step(
                "one of each patch",
                lambda x: x.view(*x.shape[:2], rows // 2, 2, columns // 2, 2)[:, :, :, 1, :, 0],
            ),
            lambda: Step(
                "the upper half", lambda x: x.view(*x.shape[:2], 2, rows // 2, columns)[:, :, 1]
            ),
            lambda: Step(
                "halves together",
                lambda x: x.view(*x.shape[:2], 2, rows // 2, columns).mean(2),
            ),
        ]
    return r.choice(choices)()


def random_net(seed: int, size: int, steps: int) -> nn.Sequential:
    """A row of random steps that fit each other, in double precision."""
    r = random.Random(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Conv2d(3, 4, r.choice([1, 3]), r.choice([1, 1, 2]), 1)).double()
        x = torch.rand(1, 3, size, size, dtype=torch.float64)
        tries = 0
        while len(net) < steps and tries < 50:
            tries += 1
            with torch.no_grad():
                shape = tuple(net(x).shape)
                made = step(r, shape).double().eval()
                try:
                    y = made(net(x))
                except (RuntimeError, ValueError):
                    continue  # too small for it
            if min(y.shape[2:]) >= 3 and max(y.shape[2:]) <= 2 * size and y.isfinite().all():
                net.append(made)
    return net.eval()
