"""Attention with its pattern held fixed, so that only values carry gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_SOFTMAX = frozenset({F.softmax, torch.softmax, Tensor.softmax})
_WHOLE = frozenset({F.scaled_dot_product_attention, F.multi_head_attention_forward})


class FixedPattern(TorchFunctionMode):
    """A context in which every attention pattern is a constant for gradients; no value changes.

    Between query and key lies a softmax: its output is detached. Attention as one function (torch's
    own, and what CLIP's ResNets call) gets a detached query and key.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in _SOFTMAX:
            return func(*args, **kwargs).detach()
        if func in _WHOLE:
            args = tuple(a.detach() if i < 2 else a for i, a in enumerate(args))
            for name in ("query", "key"):
                if name in kwargs:
                    kwargs[name] = kwargs[name].detach()
        return func(*args, **kwargs)
