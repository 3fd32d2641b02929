"""Gradients through batch and instance norms as they are, for a single picture on a CPU.

torch 2.13 takes the gradient that arrives there for laid out otherwise than it is, if the batch is
one picture and the gradient comes back transposed, as it does where a map becomes tokens: what it
gives then is wrong by more than its own length, without a word (findings/torch_batchnorm_one_picture.sh).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_BATCH = frozenset({F.batch_norm, torch.batch_norm})
_INSTANCE = frozenset({F.instance_norm, torch.instance_norm})
_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


class RightNormGradients(TorchFunctionMode):
    """A context in which norms get gradients in a layout that they understand; no value changes.

    What was right without it stays so to the last bit.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in _BATCH or func in _INSTANCE:
            single = len(result) == 1 and result.device.type == "cpu"
            if single and result.requires_grad:
                result.register_hook(_with_plain_stride if func in _BATCH else _without_channels_last)
        return result


def _with_plain_stride(gradient: Tensor) -> Tensor:
    """`gradient` itself with the stride that a batch of several would have: a batch of one may have
    any, and batch norm takes an odd one for another layout."""
    strides = (gradient.numel(), *gradient.stride()[1:])
    return gradient.as_strided(gradient.shape, strides)


def _without_channels_last(gradient: Tensor) -> Tensor:
    """`gradient` channel by channel: an instance norm of one picture reads channels_last wrongly."""
    form = _CHANNELS_LAST.get(gradient.ndim)
    if form is None or gradient.is_contiguous() or not gradient.is_contiguous(memory_format=form):
        return gradient
    return gradient.contiguous()
