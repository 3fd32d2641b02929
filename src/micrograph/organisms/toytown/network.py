"""The toytown network: a small Inception-style classifier of procedural pictures.

The shipped form is convolutions with biases, ReLU, pooling and one linear layer, nothing else.
While it is trained every convolution is followed by a batch normalization (`build(norm=True)`),
which `fold` multiplies into the convolution afterwards, exactly.

Nodes (96 px input, positions y = x):

    conv0 48 | conv1 24, conv2 24 | mixed3a, mixed3b 24 | mixed4a, mixed4b, mixed4c 12
    mixed5a, mixed5b 6 | logits

A mixed block is four branches side by side, concatenated in this order: `1x1`; `3x3` behind
`3x3_reduce`; `5x5` behind `5x5_reduce`; `pool_proj` behind a 3x3 max pool. Every named convolution
hands out its value after the ReLU.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INPUT_SIZE = 96
"""Side of the training pictures in pixels; any size from 32 up works, see `ToyTown`."""

MEAN: tuple[float, float, float] = (0.5, 0.5, 0.5)
STD: tuple[float, float, float] = (0.25, 0.25, 0.25)
"""Preprocessing of RGB in 0..1: `(rgb - MEAN) / STD`."""

CLASS_COUNT = 30
"""Number of logits; equals `len(scenes.CLASSES)` (a test holds them together)."""


class Widths(NamedTuple):
    """Channels of one mixed block's convolutions."""

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int

    @property
    def out(self) -> int:
        """Channels of the concatenated block."""
        return self.one + self.three + self.five + self.pool


STEM = (24, 32, 48)
MIXED: dict[str, Widths] = {
    "mixed3a": Widths(20, 24, 36, 8, 12, 12),
    "mixed3b": Widths(28, 28, 52, 8, 16, 16),
    "mixed4a": Widths(40, 40, 72, 12, 20, 20),
    "mixed4b": Widths(44, 48, 84, 16, 28, 24),
    "mixed4c": Widths(48, 56, 96, 16, 32, 32),
    "mixed5a": Widths(64, 96, 136, 24, 32, 32),
    "mixed5b": Widths(72, 112, 168, 32, 40, 40),
}
"""The mixed blocks in order; a 3x3 stride 2 max pool stands before 4a and before 5a."""


class ConvRelu(nn.Conv2d):
    """A convolution that keeps the size (or halves it), its optional batch norm, and a ReLU."""

    norm: nn.BatchNorm2d | None

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, norm: bool):
        super().__init__(inputs, outputs, kernel, stride=stride, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(outputs) if norm else None

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, outputs, y / stride, x / stride], values >= 0."""
        x = super().forward(x)
        if self.norm is not None:
            x = self.norm(x)
        return F.relu(x)


class MixedBlock(nn.Module):
    """Four branches on the same input, concatenated along the units."""

    def __init__(self, inputs: int, widths: Widths, *, norm: bool):
        super().__init__()
        w = widths
        self.add_module("1x1", ConvRelu(inputs, w.one, 1, norm=norm))
        self.add_module("3x3_reduce", ConvRelu(inputs, w.three_reduce, 1, norm=norm))
        self.add_module("3x3", ConvRelu(w.three_reduce, w.three, 3, norm=norm))
        self.add_module("5x5_reduce", ConvRelu(inputs, w.five_reduce, 1, norm=norm))
        self.add_module("5x5", ConvRelu(w.five_reduce, w.five, 5, norm=norm))
        self.add_module("pool_proj", ConvRelu(inputs, w.pool, 1, norm=norm))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, y, x] to [batch, widths.out, y, x]."""
        part = self.get_submodule  # the names are no Python identifiers
        branches = (
            part("1x1")(x),
            part("3x3")(part("3x3_reduce")(x)),
            part("5x5")(part("5x5_reduce")(x)),
            part("pool_proj")(F.max_pool2d(x, 3, stride=1, padding=1)),
        )
        return torch.cat(branches, dim=1)


class ToyTown(nn.Module):
    """The whole classifier, fully convolutional up to the average pool."""

    def __init__(self, *, norm: bool = False, classes: int = CLASS_COUNT):
        super().__init__()
        self.conv0 = ConvRelu(3, STEM[0], 7, stride=2, norm=norm)
        self.conv1 = ConvRelu(STEM[0], STEM[1], 1, norm=norm)
        self.conv2 = ConvRelu(STEM[1], STEM[2], 3, norm=norm)
        inputs = STEM[2]
        for name, widths in MIXED.items():
            self.add_module(name, MixedBlock(inputs, widths, norm=norm))
            inputs = widths.out
        self.logits = nn.Linear(inputs, classes)

    def features(self, x: Tensor) -> Tensor:
        """Normalized pictures [batch, 3, y, x] to the last mixed block [batch, 320, y, x]."""
        x = F.max_pool2d(self.conv0(x), 3, stride=2, padding=1)
        x = self.conv2(self.conv1(x))
        for name in MIXED:
            if name in ("mixed4a", "mixed5a"):
                x = F.max_pool2d(x, 3, stride=2, padding=1)
            x = self.get_submodule(name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Normalized pictures [batch, 3, y, x] to class scores [batch, class] before softmax."""
        scores: Tensor = self.logits(self.features(x).mean(dim=(2, 3)))
        return scores


def build(*, norm: bool = False, classes: int = CLASS_COUNT) -> ToyTown:
    """An untrained network; `norm=False` is the form the shipped weights fit."""
    return ToyTown(norm=norm, classes=classes)


def node_names() -> tuple[str, ...]:
    """Stem and mixed nodes in order, as module paths (branches not listed)."""
    return ("conv0", "conv1", "conv2", *MIXED)


@torch.no_grad()
def fold(trained: ToyTown) -> ToyTown:
    """The same function without batch norms: running statistics go into weights and biases.

    The result equals `trained.eval()` up to rounding; batch statistics play no part.
    """
    folded = build(classes=trained.logits.out_features)
    state: dict[str, Tensor] = {}
    for name, module in trained.named_modules():
        if isinstance(module, ConvRelu):
            if module.bias is None or module.norm is None:
                raise ValueError(
                    f"cannot fold {name!r}: expected a convolution with bias and batch norm; "
                    "build the network with build(norm=True)"
                )
            bn = module.norm
            assert bn.running_mean is not None
            assert bn.running_var is not None
            gain = bn.weight / torch.sqrt(bn.running_var + bn.eps)
            state[f"{name}.weight"] = module.weight * gain[:, None, None, None]
            state[f"{name}.bias"] = (module.bias - bn.running_mean) * gain + bn.bias
    state["logits.weight"] = trained.logits.weight
    state["logits.bias"] = trained.logits.bias
    folded.load_state_dict(state)
    return folded.eval()


@torch.no_grad()
def unfold(folded: ToyTown, sample: Tensor) -> ToyTown:
    """The inverse of `fold`: batch norms whose gain and shift undo their own normalization.

    Their statistics are those of `sample` (normalized pictures [batch, 3, y, x]), on which the
    result therefore computes exactly what `folded` does, in training mode as well.
    """
    trained = build(norm=True, classes=folded.logits.out_features)
    trained.load_state_dict(folded.state_dict(), strict=False)

    def fit(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(inputs[0].mean(dim=(0, 2, 3)))
        norm.running_var.copy_(inputs[0].var(dim=(0, 2, 3), unbiased=False))
        norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps))
        norm.bias.copy_(norm.running_mean)

    norms = [m for m in trained.modules() if isinstance(m, nn.BatchNorm2d)]
    handles = [norm.register_forward_pre_hook(fit) for norm in norms]
    trained.eval()(sample)
    for handle in handles:
        handle.remove()
    return trained
