"""Rules of `aten` for what works on maps: convolutions, pools, padding, resizing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from micrograph.models.graph.aten_call import (
    Call,
    Trace,
    is_convolution_map,
    pair,
    resized_axis,
    unless_inexact,
)
from micrograph.models.graph.axes import (
    Atom,
    Axes,
    axis,
    in_space,
    is_whole,
    unknown,
    visible,
    without_gaps,
)
from micrograph.models.graph.places import summed
from micrograph.models.graph.receptive_field import NO_UNITS, UNKNOWN, WHOLE, Field
from micrograph.models.graph.seen import NONE, bins_table, transposed_table


def _maps(call: Call) -> Axes:
    """The axes of a map [batch, unit, y, x] that an operation made of a map.

    What a convolution or a pool takes for a map is one, unless something else is known of it.
    """
    given, shape = call.first.axes, call.result.shape
    if len(shape) != 4 or len(given) != 4:
        return (given[0], *unknown(shape[1:])) if shape and given else unknown(shape)
    units = given[1] if shape[1] == call.input.shape[1] else axis("u", shape[1])
    return (given[0], units, *_map_axes(given, shape))


def _map_axes(given: Axes, shape: Sequence[int]) -> Axes:
    """The last two axes of a map of that shape, made of another one. Of what is known to be no map,
    such as one whose rows are columns, comes none, however many convolutions follow."""
    known = [{a.role for a in visible(given[place])} for place in (2, 3)]
    are_map = (
        is_whole(given[place], role) or roles <= {"?"}
        for role, place, roles in zip("yx", (2, 3), known, strict=True)
    )
    roles = "yx" if all(are_map) else "oo"  # half a map is none
    return tuple(axis(role, size) for role, size in zip(roles, shape[2:], strict=True))


def _convolution(call: Call) -> Trace:
    """A sum over all units (or those of a group) in a window of positions."""
    weight, count = call.arguments["weight"], call.result.shape[1]
    given, units = call.of(call.arguments["input"]), axis("u", count)
    if given is None or weight.ndim != 4 or call.input.ndim != 4:
        axes = _maps(call)
        return Trace((*axes[:1], units, *axes[2:]), unless_inexact(call.field, UNKNOWN))
    axes, field, kernel = given.axes, call.field, tuple(weight.shape[2:])
    if call.arguments["groups"] == 1:
        field = field.even()
    first, *others = visible(axes[1]) or (Atom("u", 1),)
    if first.role == "b" and others and call.arguments["groups"] % first.size == 0:
        units = (first, *axis("u", count // first.size))  # each picture is a group of its own
    if in_space(axes[1]) and call.arguments["groups"] == 1:  # patches unrolled into units
        field = summed(field, axes, axes[1])
        axes = without_gaps((axes[0], units, *axes[2:]))
    stride, padding, dilation = (pair(call.arguments[n]) for n in ("stride", "padding", "dilation"))
    transposed = call.arguments["transposed"]
    if kernel == stride == (1, 1) and padding == (0, 0) and not in_space(axes[1]):
        kept = zip(axes[2:], _map_axes(axes, call.result.shape), strict=True)
        places = (own if in_space(own) else made for own, made in kept)
        return Trace((axes[0], units, *places), field)
    made = (axes[0], units, *_map_axes(axes, call.result.shape))
    if not is_convolution_map(axes):
        return Trace(made, unless_inexact(field, UNKNOWN))
    shape = call.result.shape[2:]
    if not transposed:
        return Trace(made, field.window(kernel, stride, padding, dilation, shape))
    for n, role in enumerate("yx"):
        table = transposed_table(
            call.input.shape[2 + n], shape[n], kernel[n], stride[n], padding[n], dilation[n]
        )
        field = field.along(role, field.span(role).taken(table))
    return Trace(made, field)


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
    shape = call.result.shape[2:]
    return call.field.window(kernel, stride, pair(given["padding"]), dilation, shape)


def _adaptive_pool(call: Call) -> Field:
    before, after = call.input.shape[-2:], call.result.shape[-2:]
    if tuple(after) == (1, 1):
        return WHOLE
    sizes = tuple(n // m for n, m in zip(before, after, strict=True))
    if all(n % m == 0 for n, m in zip(before, after, strict=True)):
        return call.field.window(sizes, sizes, shape=after)
    field = call.field
    for role, n, m in zip("yx", before, after, strict=True):
        field = field.along(role, field.span(role).taken(bins_table(n, m)))
    return field


def _resized(call: Call) -> Field:
    """What each new position is made of is asked of the operation itself, one axis at a time."""
    operation = getattr(torch.ops.aten, call.name).default
    given, field = call.arguments, call.field
    scales = given.get("scale_factors") or (given.get("scales_h"), given.get("scales_w"))
    others = {"align_corners": given["align_corners"]} if "align_corners" in given else {}
    for n, role in enumerate("yx"):
        size, made = call.input.shape[2 + n], call.result.shape[2 + n]
        each = torch.eye(size, dtype=call.input.dtype).unsqueeze(2 - n)[None]
        others["output_size"] = [made, 1] if role == "y" else [1, made]
        others |= {"scales_h": scales[0] if role == "y" else None}
        others |= {"scales_w": scales[1] if role == "x" else None}
        parts = operation(each, **others).view(size, made)
        field = field.along(role, field.span(role).taken(_table((parts != 0).T)))
    return field


def _table(sees: Tensor) -> np.ndarray[Any, np.dtype[np.int64]]:
    """[new, k] positions out of [new, old] whether it sees them."""
    matrix = sees.numpy()
    most = int(matrix.sum(1).max(initial=0))
    table = np.argsort(~matrix, axis=1, kind="stable")[:, :most]
    return np.where(np.take_along_axis(matrix, table, 1), table, NONE)


def _pixel_shuffle(call: Call) -> Field:
    factor, field = call.arguments["upscale_factor"], call.field
    for n, role in enumerate("yx"):
        positions = np.arange(call.result.shape[2 + n]) // factor
        field = field.along(role, field.span(role).taken(positions))
    return field


def _pixel_unshuffle(call: Call) -> Field:
    size = pair(call.arguments["downscale_factor"])
    field = call.field.window(size, size, shape=call.result.shape[2:])
    return replace(field, full=NO_UNITS)


def _pad(mode: str) -> Callable[[Call], Trace]:
    """Padding with constants ("constant"), mirrored ("reflect") or with the border ("edge")."""

    def rule(call: Call) -> Trace:
        axes = list(call.first.axes)
        pairs = call.arguments.get("pad", call.arguments.get("padding"))
        field = call.field
        for number in range(len(pairs) // 2):
            first, behind = pairs[2 * number : 2 * number + 2]
            place = len(axes) - 1 - number
            if not (first or behind):
                continue
            before, size = axes[place], call.input.shape[place]
            axes[place] = resized_axis(before, call.result.shape[place])
            role = next((r for r in "yx" if is_whole(before, r)), "")
            if role:
                positions = _padded(size, first, behind, mode)
                span = field.span(role).taken(positions, 1, -first)
                field = field.along(role, span)
            elif in_space(before):
                field = unless_inexact(field, UNKNOWN)
        return Trace(tuple(axes), field)

    return rule


def _padded(size: int, first: int, behind: int, mode: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Which position stands at each of those that padding (or cropping, if negative) leaves."""
    kept = np.arange(max(-first, 0), size - max(-behind, 0))
    around = (max(first, 0), max(behind, 0))
    if mode == "constant":
        return np.pad(kept, around, constant_values=NONE)
    return np.pad(kept, around, mode="reflect" if mode == "reflect" else "edge")


RULES: dict[str, Callable[[Call], Trace]] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _window(_pool),
    "avg_pool2d": _window(_pool),
    "_adaptive_avg_pool2d": _window(_adaptive_pool),
    "adaptive_max_pool2d": _window(_adaptive_pool),
    "pixel_shuffle": _window(_pixel_shuffle),
    "pixel_unshuffle": _window(_pixel_unshuffle),
    "constant_pad_nd": _pad("constant"),
    "reflection_pad1d": _pad("reflect"),
    "reflection_pad2d": _pad("reflect"),
    "replication_pad1d": _pad("edge"),
    "replication_pad2d": _pad("edge"),
    **dict.fromkeys(
        (
            "upsample_nearest2d",
            "_upsample_nearest_exact2d",
            "upsample_bilinear2d",
            "_upsample_bilinear2d_aa",
            "upsample_bicubic2d",
            "_upsample_bicubic2d_aa",
        ),
        _window(_resized),
    ),
    **dict.fromkeys(("grid_sampler_2d", "max_unpool2d"), _window(lambda call: UNKNOWN)),
}
