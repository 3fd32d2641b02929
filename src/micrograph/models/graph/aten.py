"""What each ATen operation does to axes and receptive fields: the one table that knows their names.

A rule takes a `Call` and gives the `Trace` of its result. The result of an unknown operation
has an unknown field and unknown axes: no node rather than a wrong one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from micrograph.models.graph import aten_maps, aten_products, aten_tokens, aten_views
from micrograph.models.graph.aten_call import Call, Trace, axes_meant, unless_inexact
from micrograph.models.graph.axes import Axes, axis, in_space, is_whole, unknown
from micrograph.models.graph.places import fitting
from micrograph.models.graph.receptive_field import UNKNOWN, WHOLE

OVERWRITING = frozenset(
    {"copy_", "zero_", "fill_", "normal_", "uniform_", "random_", "bernoulli_", "exponential_"}
)
"""What leaves nothing of the tensor that it writes to."""
CONSTANTS = frozenset(
    f"{what}{how}"
    for what in ("empty", "zeros", "ones", "full", "rand", "randn", "randint")
    for how in ("_like", "")
) | {"new_empty", "new_empty_strided", "new_zeros", "new_ones", "new_full"}
"""What takes no more than form and device of a tensor."""


def trace(call: Call) -> Trace:
    """Where the result of a call comes from. At least one of its arguments is known."""
    rule = _RULES.get(call.name, _agreed if call.pointwise else _unknown)
    found = rule(call)
    if len(found.axes) != call.result.ndim:
        found = Trace(unknown(call.result.shape), UNKNOWN)
    return replace(found, field=fitting(found.field, found.axes))


def _agreed(call: Call) -> Trace:
    return Trace(call.agreed(), call.field)


_DIMS = ("dim", "dims", "dim0", "dim1", "dim2", "dimension", "axis")
"""How operations call the axes that they work along."""


def _unknown(call: Call) -> Trace:
    """An operation without a rule: it is taken to treat each picture alike, unless it names their
    axis."""
    first, shape = call.first.axes, call.result.shape
    axes: Axes = unknown(shape)
    if first and shape and is_whole(first[0], "b") and shape[0] == call.input.shape[0]:
        named = (call.arguments.get(name) for name in _DIMS)
        over = {d for one in named if one is not None for d in axes_meant(one, call.input.ndim)}
        if 0 not in over:
            axes = (first[0], *axes[1:])
    return Trace(axes, unless_inexact(call.field, UNKNOWN))


def _indexed(call: Call) -> Trace:
    """`x[:, index]`: some of one axis, in any order; more than that is not followed."""
    indices = call.arguments["indices"]
    places = [d for d, index in enumerate(indices) if index is not None]
    index = indices[places[0]] if len(places) == 1 else None
    if index is not None and index.ndim == 1 and index.dtype in (torch.int64, torch.int32):
        return aten_views.some_of(call, places[0], index)
    found = _unknown(call)
    if 0 in places and found.axes:
        return Trace((*unknown(call.result.shape[:1]), *found.axes[1:]), found.field)
    if any(in_space(call.first.axes[d]) and _goes_back(indices[d]) for d in places):
        # A convolution that follows does not make a map of places that are known to have changed.
        others = tuple(axis("o", size) for size in call.result.shape[1:])
        return Trace((*found.axes[:1], *others), found.field)
    return found


def _goes_back(index: torch.Tensor) -> bool:
    """Whether numbers of rows or columns come in another order than their own."""
    return index.dtype in (torch.int64, torch.int32) and bool((index.flatten().diff() < 0).any())


def _same(call: Call) -> Trace:
    """Operations that move nothing."""
    if call.result.shape != call.input.shape:  # a second result: means, indices, a mask
        return Trace(unknown(call.result.shape), UNKNOWN)
    return Trace(call.first.axes, call.field)


def _put(call: Call) -> Trace:
    """Something is written at some places of a tensor, which remains what it was."""
    own = call.of(call.arguments["self"])
    if own is None:
        return _unknown(call)
    axes, indices = own.axes, call.arguments.get("indices")
    first = indices[0] if indices else None
    if axes and (call.arguments.get("dim") == 0 or first is not None):
        axes = (unknown(call.result.shape[:1])[0], *axes[1:])  # pictures
    return Trace(axes, own.field if len(call.inputs) == 1 else unless_inexact(call.field, UNKNOWN))


def _batch_norm(call: Call) -> Trace:
    """With statistics of its own every value sees the whole picture."""
    same = _same(call)
    live = call.arguments.get("training", False)
    return Trace(same.axes, unless_inexact(same.field, WHOLE)) if live else same


def _group_norm(call: Call) -> Trace:
    same = _same(call)
    return Trace(same.axes, unless_inexact(same.field, WHOLE))


_RULES: dict[str, Callable[[Call], Trace]] = {
    "native_group_norm": _group_norm,
    **dict.fromkeys(
        (
            "cudnn_batch_norm",
            "miopen_batch_norm",
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "_batch_norm_with_update",
            "_batch_norm_no_update",
        ),
        _batch_norm,
    ),
    **dict.fromkeys(
        (
            "channel_shuffle",
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
            "fill",
        ),
        _agreed,
    ),
    **dict.fromkeys(
        (
            "index_put",
            "_index_put_impl",
            "index_copy",
            "index_fill",
            "index_add",
            "scatter",
            "scatter_add",
            "scatter_reduce",
            "masked_scatter",
        ),
        _put,
    ),
    **dict.fromkeys(("index", "_unsafe_index"), _indexed),
    **aten_maps.RULES,
    **aten_views.RULES,
    **aten_tokens.RULES,
    **aten_products.RULES,
}


def is_pointwise(func: Any) -> bool:
    """Whether torch marks this operation as elementwise."""
    return torch.Tag.pointwise in func.tags
