"""Weights that do not change, in the precision of a pass: cast once for a run, not at every step.

Autocast keeps what it casts of weights that need gradients, and casts frozen ones each time anew.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_WEIGHTED = frozenset({torch.conv2d, F.linear})


class FrozenWeights(TorchFunctionMode):
    """Context in which, under autocast, convolutions and matrices with frozen weights read copies
    of them in its precision. Values are the same to the bit. Enter one object at every step: the
    copies stay with it."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _WEIGHTED and len(args) >= 2 and isinstance(args[0], Tensor):
            device = args[0].device.type
            if torch.is_autocast_enabled(device):
                dtype = torch.get_autocast_dtype(device)
                args = (args[0], *(self._cast(a, dtype) for a in args[1:3]), *args[3:])
        return func(*args, **kwargs)

    def _cast(self, weight: Any, dtype: torch.dtype) -> Any:
        """A copy of a frozen parameter; anything else as it is."""
        if not isinstance(weight, torch.nn.Parameter) or weight.requires_grad:
            return weight
        if weight.dtype != torch.float32:
            return weight
        if id(weight) not in self._kept:
            layout = torch.channels_last if weight.ndim == 4 else torch.contiguous_format
            # The weight is kept beside its copy, so that nothing else can get its number.
            cast = weight.detach().to(dtype).contiguous(memory_format=layout)
            self._kept[id(weight)] = weight, cast
        return self._kept[id(weight)][1]
