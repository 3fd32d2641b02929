"""One call of an ATen operation, as the rules of `aten` see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from micrograph.models.graph.axes import Axes, Axis, agreed, axis, has, is_whole, visible
from micrograph.models.graph.receptive_field import Field

ALL = "*"
"""Stands for all tokens in `Trace.token`."""


@dataclass(frozen=True)
class Trace:
    """What the axes of a tensor count, and which pixels a position of its map can see."""

    axes: Axes
    field: Field
    token: str = ""
    """What sort of token is left, where an operation picked one out of a stream of tokens; `ALL`
    where it mixed them."""
    apart: tuple[int, ...] = ()
    """Which inputs of the call keep their tokens apart, though those of others are mixed: the
    queries of attention."""


@dataclass(frozen=True)
class Call:
    """An operation that gave `result`, the one with that `number` where it gave several.

    `arguments` are all arguments by the names that torch's schema of the operation gives them (see
    `arguments_by_name`). `inputs` are those that come from the pictures, with their traces; `field`
    is the union of their fields. `pointwise` says that torch calls the operation so.
    """

    name: str
    arguments: Mapping[str, Any]
    result: Tensor
    inputs: tuple[tuple[Tensor, Trace], ...]
    field: Field
    pointwise: bool = False
    number: int = 0
    parameter: Callable[[Tensor], str] = lambda t: ""
    """The name of the network's parameter that a tensor is (a view of); empty if it is none."""

    @property
    def input(self) -> Tensor:
        """The first argument that comes from the pictures."""
        return self.inputs[0][0]

    @property
    def first(self) -> Trace:
        """Its trace."""
        return self.inputs[0][1]

    def of(self, tensor: Any) -> Trace | None:
        """The trace of an argument, None for what does not come from the pictures."""
        return next((trace for t, trace in self.inputs if t is tensor), None)

    def apart(self, name: str, *others: str) -> tuple[int, ...]:
        """The number of the argument of that name among the inputs, unless it is also another."""
        given = self.arguments[name]
        if any(self.arguments[other] is given for other in others):
            return ()
        return tuple(n for n, (tensor, _) in enumerate(self.inputs) if tensor is given)

    def agreed(self) -> Axes:
        """The axes of a result that was made element by element."""
        rank = self.result.ndim
        found: list[Axis] = []
        for place, size in enumerate(self.result.shape):
            candidates = []
            for tensor, trace in self.inputs:
                own = place - rank + tensor.ndim
                if own >= 0 and tensor.shape[own] == size:
                    candidates.append(trace.axes[own])
            found.append(agreed(candidates, size))
        return tuple(found)


def arguments_by_name(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operator, by name, with the defaults of those that were not given.

    However a call was written, by position, by name or with defaults left out, this is the same.
    """
    found: dict[str, Any] = {}
    for number, argument in enumerate(func._schema.arguments):
        if number < len(args):
            found[argument.name] = args[number]
        elif argument.name in kwargs:
            found[argument.name] = kwargs[argument.name]
        elif argument.has_default_value():
            found[argument.name] = argument.default_value
    return found


def pair(value: Any) -> tuple[int, int]:
    """A size along y and x, given as one number for both, as a list of one, or as two."""
    if isinstance(value, int):
        return value, value
    first, *others = value
    return first, *(others or [first])


def unless_inexact(field: Field, otherwise: Field) -> Field:
    """`otherwise` where the field was exact; an inexact field stays as it is."""
    return otherwise if field.status == "exact" else field


def axes_meant(dims: Any, rank: int) -> list[int]:
    """The axes that an argument names: one, several, or all where it names none.

    Of a tensor without axes there is nothing to name.
    """
    listed = [dims] if isinstance(dims, int) else list(dims or range(rank))
    return [d % rank for d in listed] if rank else []


def is_convolution_map(axes: Axes) -> bool:
    """Whether axes are [batch, unit, y, x], as convolutions take them."""
    if len(axes) != 4:
        return False
    beside = (visible(axes[0]), visible(axes[1]))
    if any(has(beside, role) for role in "yxt?"):
        return False
    return all(
        not visible(one) or is_whole(one, role) for role, one in (("y", axes[2]), ("x", axes[3]))
    )


def resized_axis(one: Axis, size: int) -> Axis:
    """An axis of another length with the role of `one`, if that has one role and may have another
    length: some of the pictures are no pictures, some tokens no known ones."""
    atoms = visible(one) or one
    roles = {a.role for a in atoms}
    role = roles.pop() if len(roles) == 1 and all(a.whole for a in atoms) else "?"
    return axis("?" if role in "bt" else role, size)
