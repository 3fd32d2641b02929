"""Sums, concatenations and products that no module makes: `x + y`, `torch.cat`, `x * y`."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_KINDS: dict[Callable[..., Any], str] = {
    torch.add: "add",
    Tensor.add: "add",
    Tensor.add_: "add",
    torch.cat: "cat",
    torch.concat: "cat",
    torch.concatenate: "cat",
    F.glu: "glu",
    torch.mul: "mul",
    torch.multiply: "mul",
    Tensor.mul: "mul",
    Tensor.mul_: "mul",
    Tensor.multiply: "mul",
    Tensor.multiply_: "mul",
}
"""Every spelling; operators arrive as methods."""


class JoinCalls(TorchFunctionMode):
    """A context that calls `joined` for every sum, concatenation and product in plain code.

    Enter it after other contexts of this sort, so that their own operations are not counted.
    """

    def joined(self, kind: str, parts: Sequence[Any], result: Tensor) -> Tensor:
        """Called after a call of that kind ("add", "cat", "mul", "glu"); gives the result."""
        return result

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        kind = _KINDS.get(func)
        if kind is None or not isinstance(result, Tensor):
            return result
        if kind == "cat":
            parts = args[0] if args else kwargs["tensors"]
        else:
            parts = (*args, *kwargs.values())
        return self.joined(kind, parts, result)
