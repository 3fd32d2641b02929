"""What each ATen operation does to a receptive field: the one table that knows their names."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from micrograph.models.receptive_field import UNKNOWN, WHOLE, Field, union

Rule = Callable[[Field, tuple[Any, ...], Tensor], Field]
"""(field of the input, arguments of the call, result) to the field of the result."""


def field_of(
    name: str, args: tuple[Any, ...], result: Tensor, fields: Sequence[Field], pointwise: bool
) -> Field:
    """The field of `result`, which operation `name` made of maps that have `fields`.

    `pointwise` says that torch calls the operation so. An operation that is not understood gives
    "unknown"; whatever is made of the whole input sees the whole input.
    """
    field = union(fields)
    if field.status != "exact":
        return field
    if name in _RULES:
        return _RULES[name](field, args, result)
    return field if pointwise or name in _SAME_PLACES else UNKNOWN


_SAME_PLACES = frozenset(
    {
        "alias",
        "clone",
        "copy",
        "cudnn_batch_norm",
        "detach",
        "native_batch_norm",
        "_native_batch_norm_legit",
        "_native_batch_norm_legit_no_training",
        "native_channel_shuffle",
        "native_dropout",
        "_prelu_kernel",
        "_to_copy",
    }
)
"""Operations that move nothing in space and are not marked as pointwise."""


def _convolution(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    _, weight, _, stride, padding, dilation, transposed = args[:7]
    if transposed or weight.ndim != 4:
        return UNKNOWN
    return field.window(weight.shape[2:], stride, padding, dilation)


def _filled(args: tuple[Any, ...], *defaults: Any) -> tuple[Any, ...]:
    """The arguments, and the defaults of those that are not there."""
    return args + defaults[len(args) :]


def _max_pool(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    kernel, stride, padding, dilation = _filled(args[1:5], None, (), (0,), (1,))
    return field.window(kernel, stride, padding, dilation)


def _average_pool(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    kernel, stride, padding = _filled(args[1:4], None, (), (0,))
    return field.window(kernel, stride, padding)


def _adaptive_pool(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    y, x = args[0].shape[-2:]
    to_y, to_x = result.shape[-2:]
    if to_y == to_x == 1:
        return WHOLE
    if y % to_y or x % to_x:
        return UNKNOWN
    return field.window((y // to_y, x // to_x), (y // to_y, x // to_x))


def _over_dims(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    """A reduction: over the map it sees everything, over units only it stays in place."""
    before = args[0]
    dims = args[1] if len(args) > 1 else None
    listed = [dims] if isinstance(dims, int) else list(dims or range(before.ndim))
    places = {d % before.ndim for d in listed}
    if before.ndim == 4 and places >= {2, 3}:
        return WHOLE
    return field if before.ndim == result.ndim == 4 and places == {1} else UNKNOWN


def _reshape(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    """Regrouping units keeps the place; flattening a map of several positions sees all of them."""
    before = args[0].shape
    if len(before) >= 3 and result.ndim >= 3 and before[-2:] == result.shape[-2:]:
        return field
    if math.prod(before[2:]) == 1 and result.ndim == 2:
        return field
    return WHOLE if result.ndim == 2 and before[0] == result.shape[0] else UNKNOWN


def _permute(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    rank = args[0].ndim
    order = [d % rank for d in args[1]]
    return field if order[-2:] == [rank - 2, rank - 1] else UNKNOWN


def _transpose(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    rank = args[0].ndim
    return field if {args[1] % rank, args[2] % rank} <= set(range(rank - 2)) else UNKNOWN


def _along_units(place: int) -> Rule:
    """Joining or splitting along the axis in argument `place`, which must not lie in space."""

    def rule(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
        dim = args[place] if len(args) > place else 0
        return field if dim % max(result.ndim, 1) < max(result.ndim - 2, 2) else UNKNOWN

    return rule


def _slice(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    before, dim, start, _, step = _filled(args, None, 0, None, None, 1)
    dim %= before.ndim
    if before.ndim != 4 or dim < 2:
        return field if before.ndim == 4 else UNKNOWN
    first = start or 0
    first = max(first + before.shape[dim], 0) if first < 0 else min(first, before.shape[dim])
    y, x = (first, 0) if dim == 2 else (0, first)
    steps = (step, 1) if dim == 2 else (1, step)
    return field.window((1,), steps, (-y, -x))


def _pad(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    left, _, above, _ = (*args[1], 0, 0, 0, 0)[:4]
    return field.shifted(above, left) if result.ndim == 4 else UNKNOWN


def _whole(field: Field, args: tuple[Any, ...], result: Tensor) -> Field:
    return WHOLE


_RULES: dict[str, Rule] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _max_pool,
    "avg_pool2d": _average_pool,
    "_adaptive_avg_pool2d": _adaptive_pool,
    "adaptive_max_pool2d": _adaptive_pool,
    "mean": _over_dims,
    "sum": _over_dims,
    "amax": _over_dims,
    "view": _reshape,
    "_unsafe_view": _reshape,
    "reshape": _reshape,
    "_reshape_alias": _reshape,
    "squeeze": _reshape,
    "unsqueeze": _reshape,
    "permute": _permute,
    "transpose": _transpose,
    "cat": _along_units(1),
    "split": _along_units(2),
    "split_with_sizes": _along_units(2),
    "_softmax": _along_units(1),
    "slice": _slice,
    "constant_pad_nd": _pad,
    "native_group_norm": _whole,
    "addmm": _whole,
    "mm": _whole,
}


def is_pointwise(func: Any) -> bool:
    """Whether torch marks this operation as elementwise."""
    return torch.Tag.pointwise in func.tags
