"""Gradients through batch and instance norms as they are, for a single picture on a CPU.

torch 2.13 takes the gradient that arrives there for laid out otherwise than it is, if the batch is
one picture and the gradient comes back transposed, as it does where a map becomes tokens, or the
picture came as tokens that became a map: what it gives then is wrong by more than its own length,
without a word (see findings/, the script torch_batchnorm_one_picture.sh; instance norms have it in
channels_last, too).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from torch import Tensor

_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


@contextmanager
def right_norm_gradients() -> Iterator[None]:
    """A context in which norms get gradients in a layout that they understand; no value changes.

    What was right without it stays so to the last bit. All norms, modules and functions, call one
    of two functions of torch, which are replaced: a `TorchFunctionMode` would cost a tenth of a
    step of a small network.
    """
    before = torch.batch_norm, torch.instance_norm
    torch.batch_norm = _hooked(before[0], _with_plain_stride)
    torch.instance_norm = _hooked(before[1], _without_channels_last)
    try:
        yield
    finally:
        torch.batch_norm, torch.instance_norm = before


def _hooked(
    norm: Callable[..., Tensor], in_order: Callable[[Tensor], Tensor]
) -> Callable[..., Tensor]:
    """`norm` with `in_order` before its gradient, where there is one of a single picture."""

    @wraps(norm)
    def call(*args: Any, **kwargs: Any) -> Tensor:
        if args and isinstance(args[0], Tensor):
            args = (_with_plain_copy(args[0]), *args[1:])
        result = norm(*args, **kwargs)
        if result.requires_grad and len(result) == 1 and result.device.type == "cpu":
            result.register_hook(in_order)  # type: ignore[no-untyped-call]
        return result

    return call


def _with_plain_copy(x: Tensor) -> Tensor:
    """`x`, or where it is one picture in channels_last with another stride of the batch than several
    would have (a map made of tokens), a copy of it that has that one."""
    form = _CHANNELS_LAST.get(x.ndim)
    if form is None or len(x) != 1 or x.device.type != "cpu" or x.stride(0) == x.numel():
        return x
    if x.is_contiguous() or not x.is_contiguous(memory_format=form):
        return x
    return x.clone(memory_format=form)


def _with_plain_stride(gradient: Tensor) -> Tensor:
    """`gradient` itself with the stride that a batch of several would have: a batch of one may have
    any, and batch norm takes an odd one for another layout."""
    strides = (gradient.numel(), *gradient.stride()[1:])
    return gradient.as_strided(gradient.shape, strides)


def _without_channels_last(gradient: Tensor) -> Tensor:
    """`gradient` channel by channel, because instance norms of one picture misread the others."""
    form = _CHANNELS_LAST.get(gradient.ndim)
    if form is None or gradient.is_contiguous() or not gradient.is_contiguous(memory_format=form):
        return gradient
    return gradient.contiguous()
