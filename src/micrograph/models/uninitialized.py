"""Building a network for weights that come from a file: without drawing random ones first."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

_DRAWING = frozenset({init.uniform_, init.normal_, init.trunc_normal_, init.kaiming_uniform_,
                      init.kaiming_normal_, init.xavier_uniform_, init.xavier_normal_,
                      Tensor.uniform_, Tensor.normal_})  # fmt: skip


class Uninitialized(TorchFunctionMode):
    """A context in which random initialization leaves tensors as memory happens to be.

    For a network of 290 million parameters that saves several seconds. Constants are still set.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _DRAWING:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
