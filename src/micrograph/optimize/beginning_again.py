"""Out of grey: pictures that drive their objective no more than plain grey does begin again.

A unit that answers to plain grey is a trap. From noise, less contrast is the way up, and a picture
without contrast has no way on, though another one may drive the unit many times as much. From
noise with more contrast than a photograph most get there.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from micrograph.optimize.parameterize import Bolder

LOOKS = 3
"""Steps whose mean says how far a picture is: each sees another view of it."""

AFTER = 12
"""Steps after which it is looked: by then other units have left grey. The same for runs of any
length, so that a longer run begins as a shorter one does."""


class BeginningAgain:
    """Looks once, after `AFTER` steps; pictures that are no further than plain grey begin again.

    `values` gives the objective [batch] of parameters, as pictures that nothing moves.
    """

    def __init__(self, param: Bolder, start: Tensor, values: Callable[[Tensor], Tensor]) -> None:
        self._values, self._bold = values, param.bolder(start.detach())
        self._left: tuple[Tensor, Tensor] | None = None

    @torch.no_grad()
    def look(self, params: Tensor, past: Tensor) -> None:
        """`past` is the objective [step, batch] so far. Changes parameters in place."""
        stuck = past[-LOOKS:].mean(0) <= self._values(torch.zeros_like(params))
        if stuck.any():
            self._left = stuck, params.clone()
            params.copy_(_where(stuck, self._bold, params))

    @torch.no_grad()
    def keep_better(self, params: Tensor) -> None:
        """At the end, who began again gets back what was left, in place, where that is better:
        there are units that plain grey does drive the most."""
        if self._left is not None:
            stuck, left = self._left
            worse = stuck & (self._values(left) > self._values(params))
            params.copy_(_where(worse, left, params))


def _where(chosen: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return torch.where(chosen.to(one.device).view(-1, *[1] * (one.ndim - 1)), one, other)
