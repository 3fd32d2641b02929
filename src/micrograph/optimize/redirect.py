"""Redirected ReLU: gradients for pictures, and places of them, that do not excite their unit yet.

Behind a ReLU that is off there is no gradient, and a start image often leaves a unit off: as a
whole, or over a part of its map, which then stays as it began while the rest of the picture grows.
"""

from collections.abc import Collection
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.models.running.relu import ReLUCalls


class _Redirected(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,), (g,) = ctx.saved_tensors, grads
        # The optimizer minimises, so a positive gradient pushes the input down.
        plain: Tensor = g * (x >= 0)
        blocked = ~plain.flatten(1).any(1)
        if blocked.any():
            plain[blocked] = (g * ((x >= 0) | (g <= 0)))[blocked]
        return plain


class RedirectedReLU(ReLUCalls):
    """Context in which every ReLU call is a redirected one. lucid's rule, kept here per sample and
    per ReLU call: where the plain gradient of a sample is zero everywhere, let it pass also where
    the input is negative, except where it would push the input further down."""

    def relu(self, x: Tensor, index: int) -> Tensor:
        out: Tensor = _Redirected.apply(x)  # type: ignore[no-untyped-call]
        return out


class _Lifted(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,), (g,) = ctx.saved_tensors, grads
        lifted: Tensor = g * ((x >= 0) | (g < 0))
        return lifted


class LiftedReLU(ReLUCalls):
    """Context in which the ReLU calls with the given numbers, those that a driven node comes out
    of, let gradients pass that push their input up, at every position."""

    def __init__(self, calls: Collection[int]) -> None:
        super().__init__()
        self.calls = frozenset(calls)

    def relu(self, x: Tensor, index: int) -> Tensor:
        if index not in self.calls:
            return F.relu(x)
        out: Tensor = _Lifted.apply(x)  # type: ignore[no-untyped-call]
        return out
