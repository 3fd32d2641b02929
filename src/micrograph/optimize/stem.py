"""The first convolution's gradient towards the picture, by a faster path.

Kernels for the input gradient of a convolution are made for many input channels. A picture has
three, and the first layer's gradient then takes a good part of a whole step. The same sum, sorted
by the phase of the stride, is a plain forward convolution with stride 1 and `stride²` times as many
outputs, followed by interleaving them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

FEW_CHANNELS = 4


def input_gradient(
    grad: Tensor, weight: Tensor, size: Sequence[int], stride: int, padding: Sequence[int]
) -> Tensor:
    """Gradient [batch, c, y, x] towards the input of a convolution, from that of its output.

    `weight` is [o, c, ky, kx], `size` the input's (y, x). With j + padding = stride q + r, the
    input gradient at j sums `weight[stride t + r] grad[q - t]` over t and outputs: a convolution
    for each phase r.
    """
    outputs, channels, ky, kx = weight.shape
    ty, tx = -(-ky // stride), -(-kx // stride)
    taps = F.pad(weight, (0, stride * tx - kx, 0, stride * ty - ky))
    taps = taps.view(outputs, channels, ty, stride, tx, stride).permute(1, 3, 5, 0, 2, 4)
    kernel = taps.flip(4, 5).reshape(channels * stride * stride, outputs, ty, tx).to(grad.dtype)
    phases = F.conv2d(grad, kernel, padding=(ty - 1, tx - 1))
    full = F.pixel_shuffle(phases, stride)
    (y, x), (py, px) = size, padding
    # What no output position has seen is missing at the far end; its gradient is zero.
    full = F.pad(full, (0, max(0, px + x - full.shape[3]), 0, max(0, py + y - full.shape[2])))
    return full[:, :, py : py + y, px : px + x]


class _Stem(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.rest = (x.shape[2:], stride, padding, x.dtype)
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (weight,), (grad,) = ctx.saved_tensors, grads
        size, stride, padding, dtype = ctx.rest
        return input_gradient(grad, weight, size, stride, padding).to(dtype), None, None, None, None


class FastStem(TorchFunctionMode):
    """Context in which convolutions of pictures, with frozen weights, use the faster gradient."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is torch.conv2d and (plain := _stem_arguments(*args, **(kwargs or {}))):
            return _Stem.apply(*plain)  # type: ignore[no-untyped-call]
        return func(*args, **(kwargs or {}))


def _stem_arguments(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> tuple[Tensor, Tensor, Tensor | None, int, tuple[int, int]] | None:
    """The arguments of a convolution that `_Stem` can stand in for, else None."""
    sy, sx = (stride, stride) if isinstance(stride, int) else stride
    if (
        weight.shape[1] > FEW_CHANNELS
        or input.ndim != 4
        or isinstance(padding, str)
        or sy != sx
        or groups != 1
        or dilation not in (1, (1, 1), [1, 1])
        or weight.requires_grad
        or (bias is not None and bias.requires_grad)
    ):
        return None
    pads = (padding, padding) if isinstance(padding, int) else tuple(padding)
    return input, weight, bias, sy, pads
