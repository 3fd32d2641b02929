"""Activations, taken as the identity; maxima, taken as means."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from micrograph.models.linear.call import Call, Made, names
from micrograph.models.linear.shadow import BOUNDED, UNBOUNDED

_IDENTITY = "taken as the identity"
_TOPS = {"sigmoid": 1.0, "hardsigmoid": 1.0, "tanh": 1.0, "erf": 1.0, "hardtanh": 1.0}
ACTIVATIONS = frozenset(_TOPS) | names(
    "relu relu6 leaky_relu prelu _prelu_kernel rrelu rrelu_with_noise elu selu celu gelu silu mish "
    "hardswish softplus log_sigmoid_forward threshold softshrink hardshrink clamp clamp_min "
    "clamp_max log_sigmoid"
)
"""The names of torch's operations; `maximum` with a constant is one, too."""


def activation(call: Call) -> Made:
    """The identity, in the first argument."""
    x = call.args[0]
    if not call.is_live(x):  # a slope or bound depends on the source
        note = call.approximation("its bound is that on the reference", held=True)
        return Made(None, frozenset({note}))
    top = _top(call)
    gate = UNBOUNDED if math.isinf(top) else BOUNDED
    trailing = frozenset({call.approximation(_IDENTITY)})
    linear = call.linear(x)
    if isinstance(call.result, tuple):
        linear = (linear, *[None] * (len(call.result) - 1))
    return Made(linear, trailing=trailing, gate=gate, top=top, as_elementwise=True)


def _top(call: Call) -> float:
    high: Any = math.inf
    if call.name == "hardtanh":
        high = call.named("max_val", 1.0)
    elif call.name in ("clamp", "clamp_max"):
        high = call.named("max")
    else:
        high = _TOPS.get(call.name, math.inf)
    return float(high) if isinstance(high, int | float) else math.inf


def maximum(call: Call) -> Made:
    """Of two: with a constant it is an activation, else the larger one is chosen for good."""
    a, b = call.args[:2]
    if call.is_live(a) and call.is_live(b):
        first = a >= b if call.name != "minimum" else a <= b
        note = call.approximation("the same one is chosen as on the reference", held=True)
        return Made(torch.where(first, call.linear(a), call.linear(b)), call.passed | {note})
    x = a if call.is_live(a) else b
    linear = call.linear(x).expand(call.result.shape)
    trailing = frozenset({call.approximation(_IDENTITY)})
    return Made(linear, trailing=trailing, gate=UNBOUNDED, top=math.inf, as_elementwise=True)


def absolute(call: Call) -> Made:
    """The sign is held."""
    note = call.approximation("each sign is that on the reference", held=True)
    return Made(call.linear(call.args[0]) * call.args[0].sign(), call.passed | {note})


def largest(call: Call) -> Made:
    """The maximum over axes, taken as the mean."""
    if call.name in ("max", "min") and isinstance(call.named("other"), Tensor):
        return maximum(call.with_name(f"{call.name}imum"))
    dim, keep = call.named("dim"), bool(call.named("keepdim", False))
    x = call.linear(call.args[0])
    everything = dim is None or dim == []
    mean = x.mean() if everything else x.mean(dim, keepdim=keep)
    note = call.approximation("the mean is taken instead")
    outputs = (mean, None) if isinstance(call.result, tuple) else mean
    return Made(outputs, call.passed | {note})


def chosen(call: Call) -> Made:
    """`sort`, `topk` and the like: those that were chosen on the reference."""
    x, dim = call.args[0], call.named("dim", -1)
    note = call.approximation("the same ones are chosen as on the reference", held=True)
    values = call.linear(x).gather(dim, call.result[1])
    return Made((values, None), call.passed | {note})


def max_pool(call: Call) -> Made:
    """An average pool over the same windows, each over the positions that it has."""
    x = call.linear(call.args[0])
    note = call.approximation("an average pool is taken instead")
    if call.name.startswith("adaptive"):
        sizes = call.args[1]
        pool = getattr(torch.nn.functional, f"adaptive_avg_pool{len(sizes)}d")
        return Made(_first(call, pool(x, sizes)), call.passed | {note})
    dims = int(call.name[len("max_pool")])
    window, stride, padding, dilation = (
        _each(value, dims)
        for value in (
            call.args[1],
            call.named("stride", ()) or call.args[1],
            call.named("padding", 0),
            call.named("dilation", 1),
        )
    )
    ceil = bool(call.named("ceil_mode", False))
    if set(dilation) == {1}:
        pool = getattr(torch.nn.functional, f"avg_pool{dims}d")
        linear = pool(x, window, stride, padding, ceil, False)
    else:
        linear = _dilated_mean(x, call, window, stride, padding, dilation)
    return Made(_first(call, linear), call.passed | {note})


def _dilated_mean(
    x: Tensor, call: Call, window: list[int], stride: list[int], pad: list[int], apart: list[int]
) -> Tensor:
    """The mean over the positions of a dilated window that the map has."""
    dims = len(window)
    result = call.result[0] if isinstance(call.result, tuple) else call.result
    sizes, outs = x.shape[-dims:], result.shape[-dims:]
    more = [
        max(0, (outs[i] - 1) * stride[i] + apart[i] * (window[i] - 1) + 1 - sizes[i] - pad[i])
        for i in range(dims)
    ]
    margins = [side for i in reversed(range(dims)) for side in (pad[i], more[i])]
    flat = x.reshape(-1, 1, *sizes)
    ones = x.new_ones(1, 1, *window)
    conv = getattr(torch.nn.functional, f"conv{dims}d")

    def summed(values: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(values, margins)
        found: Tensor = conv(padded, ones, stride=stride, dilation=apart)
        return _cut(found, outs)

    mean = summed(flat) / summed(torch.ones_like(flat[:1]))
    return mean.reshape(*x.shape[:-dims], *outs)


def _cut(values: Tensor, sizes: Sequence[int]) -> Tensor:
    """The first positions along the last axes."""
    for axis, size in enumerate(sizes, values.ndim - len(sizes)):
        values = values.narrow(axis, 0, size)
    return values


def _each(value: Any, dims: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * dims if len(values) == 1 else values


def _first(call: Call, linear: Tensor) -> Any:
    return (linear, None) if isinstance(call.result, tuple) else linear
