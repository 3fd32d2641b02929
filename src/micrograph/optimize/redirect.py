"""Redirected ReLU: gradients for pictures that do not excite their unit yet.

Behind a ReLU that is off there is no gradient, and a start image often leaves a unit fully off.
lucid's rule, kept here per sample and per ReLU call: where the plain gradient of a sample is zero
everywhere, let it pass also where the input is negative, except where it would push the input
further down.
"""

from typing import Any

import torch
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
    """Context in which every ReLU call is a redirected one."""

    def relu(self, x: Tensor, index: int) -> Tensor:
        out: Tensor = _Redirected.apply(x)  # type: ignore[no-untyped-call]
        return out
