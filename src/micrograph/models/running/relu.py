"""Watching and replacing the ReLU calls of a forward pass of any network."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

RELU_FUNCTIONS: frozenset[Callable[..., Tensor]] = frozenset(
    {F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
)
"""Every spelling of ReLU; `nn.ReLU` calls the first."""

_IN_PLACE = frozenset({F.relu_, torch.relu_, Tensor.relu_})


class ReLUCalls(TorchFunctionMode):
    """A context in which the ReLU calls are numbered from 0 in calling order.

    Enter it around one forward pass. A subclass returns the result of each call from `relu`. A call
    in place stays one: its argument is overwritten with the result.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __enter__(self) -> "ReLUCalls":
        self.count = 0
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def relu(self, x: Tensor, index: int) -> Tensor:
        """The value of ReLU call number `index` on `x`; must not change `x` itself."""
        return F.relu(x)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func not in RELU_FUNCTIONS:
            return func(*args, **kwargs)
        x: Tensor = args[0] if args else kwargs["input"]
        index, self.count = self.count, self.count + 1
        in_place = func in _IN_PLACE or (
            func is F.relu and bool(args[1] if len(args) > 1 else kwargs.get("inplace", False))
        )
        if not in_place:
            return self.relu(x, index)
        # The copy keeps what `relu` saves for its backward pass out of reach of the overwriting.
        return x.copy_(self.relu(x.clone(), index))


class ReLUOff(ReLUCalls):
    """A context in which the ReLU calls with the given numbers hand their argument through."""

    def __init__(self, calls: Sequence[int]) -> None:
        super().__init__()
        self.calls = frozenset(calls)

    def relu(self, x: Tensor, index: int) -> Tensor:
        """`x` itself for the calls that are off, ReLU for the others."""
        return x if index in self.calls else F.relu(x)
