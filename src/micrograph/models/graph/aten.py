"""What each ATen operation does to axes and receptive fields: the one table that knows their names.

A rule takes a `Call` and gives the `Trace` of its result. The result of an unknown operation
has an unknown field and unknown axes: no node rather than a wrong one.
"""

from collections.abc import Callable
from typing import Any

import torch

from micrograph.models.graph import aten_products, aten_views
from micrograph.models.graph.aten_call import (
    Call,
    Trace,
    is_convolution_map,
    pair,
    unless_inexact,
)
from micrograph.models.graph.axes import Axes, axis, has, is_whole, unknown
from micrograph.models.graph.receptive_field import UNKNOWN, WHOLE, Field


def trace(call: Call) -> Trace:
    """Where the result of a call comes from. At least one of its arguments is known."""
    rule = _RULES.get(call.name)
    if rule is not None:
        return rule(call)
    if call.pointwise:
        return Trace(call.agreed(), call.field)
    first = call.first.axes
    shape = call.result.shape
    axes = unknown(shape)
    if first and shape and is_whole(first[0], "b") and shape[0] == call.input.shape[0]:
        axes = (first[0], *axes[1:])  # it treats each picture alike
    return Trace(axes, unless_inexact(call.field, UNKNOWN))


def _same(call: Call) -> Trace:
    """Operations that move nothing."""
    if call.result.shape != call.input.shape:  # a second result: means, indices, a mask
        return Trace(unknown(call.result.shape), UNKNOWN)
    return Trace(call.first.axes, call.field)


def _copied(call: Call) -> Trace:
    return Trace(call.agreed(), call.field)


def _moved(call: Call) -> Trace:
    """Everything is still there, at other places."""
    return Trace(call.first.axes, unless_inexact(call.field, UNKNOWN))


def _maps(call: Call) -> Axes:
    """The axes of a map [batch, unit, y, x] that an operation made of a map.

    What a convolution or a pool takes for a map is one, unless something else is known of it.
    """
    given, shape = call.first.axes, call.result.shape
    if len(shape) != 4 or len(given) != 4:
        return (given[0], *unknown(shape[1:])) if shape else ()
    units = given[1] if shape[1] == call.input.shape[1] else axis("u", shape[1])
    places = []
    for role, place in (("y", 2), ("x", 3)):
        before = given[place]
        fits = has([before], role) or has([before], "?") or call.input.shape[place] == 1
        places.append(axis(role if fits else "?", shape[place]))
    return (given[0], units, *places)


def _convolution(call: Call) -> Trace:
    weight = call.arguments["weight"]
    given = call.first.axes
    axes = _maps(call)
    if len(axes) > 1:
        axes = (axes[0], axis("u", call.result.shape[1]), *axes[2:])
    if not is_convolution_map(given) or weight.ndim != 4 or call.arguments["transposed"]:
        return Trace(axes, unless_inexact(call.field, UNKNOWN))
    stride, padding, dilation = (pair(call.arguments[n]) for n in ("stride", "padding", "dilation"))
    return Trace(axes, call.field.window(weight.shape[2:], stride, padding, dilation))


def _window(field: Callable[[Call], Field]) -> Callable[[Call], Trace]:
    def rule(call: Call) -> Trace:
        known = call.field.status == "exact" and is_convolution_map(call.first.axes)
        return Trace(_maps(call), field(call) if known else unless_inexact(call.field, UNKNOWN))

    return rule


def _pool(call: Call) -> Field:
    """An empty stride means that of the kernel."""
    given = call.arguments
    kernel = pair(given["kernel_size"])
    stride = pair(given["stride"] or kernel)
    dilation = pair(given.get("dilation", 1))
    return call.field.window(kernel, stride, pair(given["padding"]), dilation)


def _adaptive_pool(call: Call) -> Field:
    y, x = call.input.shape[-2:]
    to_y, to_x = call.result.shape[-2:]
    if to_y == to_x == 1:
        return WHOLE
    if y % to_y or x % to_x:
        return UNKNOWN
    return call.field.window((y // to_y, x // to_x), (y // to_y, x // to_x))


def _resized(call: Call) -> Field:
    return UNKNOWN


def _group_norm(call: Call) -> Trace:
    same = _same(call)
    return Trace(same.axes, unless_inexact(call.field, WHOLE))


_RULES: dict[str, Callable[[Call], Trace]] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _window(_pool),
    "avg_pool2d": _window(_pool),
    "_adaptive_avg_pool2d": _window(_adaptive_pool),
    "adaptive_max_pool2d": _window(_adaptive_pool),
    "native_group_norm": _group_norm,
    **dict.fromkeys(
        (
            "cudnn_batch_norm",
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "native_channel_shuffle",
            "native_dropout",
            "_prelu_kernel",
        ),
        _same,
    ),
    **dict.fromkeys(
        (
            "alias",
            "clone",
            "copy",
            "detach",
            "_to_copy",
            "hardswish",
            "log_sigmoid_forward",
            "masked_fill",  # elementwise, but not marked so
        ),
        _copied,
    ),
    **dict.fromkeys(("roll", "flip", "cumsum"), _moved),
    **dict.fromkeys(
        (
            "upsample_nearest2d",
            "_upsample_nearest_exact2d",
            "upsample_bilinear2d",
            "_upsample_bilinear2d_aa",
            "upsample_bicubic2d",
            "_upsample_bicubic2d_aa",
            "grid_sampler_2d",
            "pixel_shuffle",
            "pixel_unshuffle",
            "max_unpool2d",
        ),
        _window(_resized),
    ),
    **aten_views.RULES,
    **aten_products.RULES,
}


def is_pointwise(func: Any) -> bool:
    """Whether torch marks this operation as elementwise."""
    return torch.Tag.pointwise in func.tags
