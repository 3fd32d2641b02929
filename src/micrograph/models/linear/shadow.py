"""What is known of a value that depends on the source: its shadow, and how it came about."""

from dataclasses import dataclass

from torch import Tensor

from micrograph.models.linear.approximation import Approximation

NONE: frozenset[Approximation] = frozenset()
BOUNDED, UNBOUNDED = 2, 1
"""Of gates: those that end at a largest value, as sigmoid does, are held before others."""


@dataclass(eq=False)
class Shadow:
    """A value of the network's own pass, and beside it the value of the linearized network.

    `linear` depends on the source by linear operations only, with a graph for gradients; None for a
    value that is held as it is: it depends on the source in another way, or, where it is not
    `of_source`, on the picture only. `passed` are the approximations on the way to it; `trailing`
    those of activations that nothing but views and concatenations came after: of a target they are
    no part, as its values are looked at before its activation.

    A `gate` came out of an activation by steps that leave its form; `top` is the largest value that
    the activation gives. `origin` is the value of which it is a function, number by number.
    """

    value: Tensor
    linear: Tensor | None
    passed: frozenset[Approximation] = NONE
    trailing: frozenset[Approximation] = NONE
    gate: int = 0
    top: float = 1.0
    origin: "Shadow | None" = None
    of_source: bool = True
    stand_in: Tensor | None = None
    """What takes the place of a held value: a pattern of attention with some of its heads."""

    @property
    def root(self) -> "Shadow":
        """That of which it is a function number by number, itself if of no other."""
        return self.origin or self

    @property
    def all_passed(self) -> frozenset[Approximation]:
        """The approximations on the way to what is made of it."""
        return self.passed | self.trailing
