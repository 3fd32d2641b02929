"""Normalization across neighbouring units, and its gradient in few steps.

A picture that is optimized goes through it a thousand times, and its tensors are the largest of a
network of that time. Autograd, operation by operation, reads and writes them 25 times; by hand it
takes 11.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_by_hand: ContextVar[bool] = ContextVar("response_norm_by_hand", default=False)


@contextmanager
def gradient_by_hand() -> Iterator[None]:
    """A context in which `normalized` has the quick gradient, of first order only. Who bends
    gradients, or follows single operations, needs the usual one."""
    token = _by_hand.set(True)
    try:
        yield
    finally:
        _by_hand.reset(token)


def normalized(x: Tensor, band: Tensor, offset: Tensor, gain: float, beta: float) -> Tensor:
    """`x * (k + gain² * window(x²)) ** -beta` of [batch, unit, y, x].

    `band` [unit, unit, 1, 1] has ones where units are within each other's window, `offset` [unit]
    is k, `beta` 0.5 or 0.75.
    """
    if _by_hand.get() and x.requires_grad:
        by_hand: Tensor = _Normalized.apply(x, band, offset, gain, beta)  # type: ignore[no-untyped-call]
        return by_hand
    # The gain goes in before squaring: activations of thousands would overflow half precision.
    s = F.conv2d((x * gain).square(), band, offset)
    root = s.rsqrt()
    return x * root if beta == 0.5 else x * (root * root.sqrt())


class _Normalized(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, band: Tensor, offset: Tensor, gain: float, beta: float
    ) -> Tensor:
        root = F.conv2d(x.square(), band * gain**2, offset).rsqrt_()
        factor = root.clone() if beta == 0.5 else root.sqrt().mul_(root)
        out = x * factor
        ctx.save_for_backward(x, out, root.square_(), factor, band)
        ctx.rest = (gain, beta)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (x, out, inverse, factor, band), (grad,) = ctx.saved_tensors, grads
        gain, beta = ctx.rest
        # With s = k + gain² window(x²), out = x s^-b and inverse = 1 / s:
        # dx = g s^-b - 2 b gain² x window(g out / s), a window being its own transpose.
        through = (grad * out).mul_(inverse)
        kernel = (band * (2 * beta * gain * gain)).to(through.dtype)
        through = F.conv2d(through, kernel).mul_(x)
        return (grad * factor).sub_(through), None, None, None, None
