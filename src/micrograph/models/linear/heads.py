"""Attention of which only some heads are let through, or each position to itself alone."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from micrograph.models.linear.approximation import Approximation


@dataclass
class Heads:
    """Which heads pass. Without `held` each position attends to itself alone, so that what is left
    of a head is what its values and its output do, wherever it looks.

    `met` are the numbers of heads of the attentions that a pass came through, by place; `times`
    how often it came through each.
    """

    numbers: tuple[int, ...]
    held: bool
    met: dict[str, int] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)

    def of_pattern(self, pattern: Tensor, place: str) -> Tensor:
        """A pattern [picture, head, token, token], or [head, token, token], of these heads."""
        if not self.held:
            own = torch.eye(*pattern.shape[-2:], dtype=pattern.dtype, device=pattern.device)
            pattern = own.expand(pattern.shape)
        return self.of_values(pattern, place)

    def of_values(self, values: Tensor, place: str) -> Tensor:
        """Values [picture, head, token, any] or [head, token, any], with those of others at 0."""
        count = values.shape[-3] if values.ndim > 2 else 1
        self.met[place] = count
        self.times[place] = self.times.get(place, 0) + 1
        passing = torch.zeros(count, dtype=values.dtype, device=values.device)
        passing[[n for n in self.numbers if n < count]] = 1
        return values * passing.view(-1, 1, 1) if values.ndim > 2 else values * passing

    def note(self, place: str, operation: str) -> Approximation:
        """What is said of an attention."""
        which = ", ".join(map(str, self.numbers))
        if self.held:
            return Approximation(
                place, operation, f"its pattern is that on the reference, heads {which}", held=True
            )
        return Approximation(
            place, operation, f"each position attends to itself alone, heads {which}"
        )
