"""Adam, as torch's own function does it.

torch's class of that name imports the whole compiler when the first one is made, which nothing here
uses: over a second of a processor before the first step of the first picture.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam

BETA_2, EPSILON = 0.999, 1e-8


class Optimizer(Protocol):
    """What the loop asks of an optimizer; those of torch can do more."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self, set_to_none: bool = True) -> None: ...

    def step(self) -> Any: ...


class Adam:
    """To the bit what `torch.optim.Adam(params, lr, (momentum, 0.999), fused=True)` does."""

    def __init__(self, params: Sequence[Tensor], lr: float, momentum: float) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": list(params), "lr": lr}]
        self._momentum = momentum
        self._means = [torch.zeros_like(one) for one in params]
        self._squares = [torch.zeros_like(one) for one in params]
        self._steps = [torch.zeros((), device=one.device) for one in params]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for one in self.param_groups[0]["params"]:
            if set_to_none:
                one.grad = None
            elif one.grad is not None:
                one.grad.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """One step down the gradients."""
        (group,) = self.param_groups
        adam(
            group["params"],
            [one.grad for one in group["params"]],
            self._means,
            self._squares,
            [],
            self._steps,
            fused=True,
            amsgrad=False,
            beta1=self._momentum,
            beta2=BETA_2,
            lr=group["lr"],
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )
