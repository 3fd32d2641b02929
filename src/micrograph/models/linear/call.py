"""One operation of a pass, whose operands have shadows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from micrograph.models.linear.approximation import Approximation
from micrograph.models.linear.heads import Heads
from micrograph.models.linear.shadow import NONE, Shadow


def names(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


@dataclass
class Made:
    """What a rule makes of a call: the linear value of each output (None: held), and how."""

    linear: Any
    passed: frozenset[Approximation] | None = None
    trailing: frozenset[Approximation] = NONE
    gate: int = 0
    top: float = 1.0
    stand_in: Tensor | None = None
    as_elementwise: bool = False
    """Whether each number of the result is made of the number in the same place."""


@dataclass
class Call:
    """An operation that gave `result`. `function` writes into none of its arguments; `args` are
    as they were before it. With `structure` weights are drawn anew, all positive, so that what
    depends on what shows whatever the weights are."""

    function: torch._ops.OpOverload[..., Any]
    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    shadows: Mapping[int, Shadow]
    where: str
    structure: bool = False
    draws: torch.Generator | None = field(default=None, repr=False)
    heads: Heads | None = None

    def named(self, name: str, default: Any = None) -> Any:
        """The argument of that name, also if it was given by place."""
        if name in self.kwargs:
            return self.kwargs[name]
        for number, argument in enumerate(self.function._schema.arguments):
            if argument.name == name:
                if number < len(self.args):
                    return self.args[number]
                return argument.default_value if argument.has_default_value() else default
        return default

    def shadow(self, value: Any) -> Shadow | None:
        """That of an argument, if it has one."""
        return self.shadows.get(id(value)) if isinstance(value, Tensor) else None

    def is_live(self, value: Any) -> bool:
        """Whether an argument depends on the source and is not held."""
        found = self.shadow(value)
        return found is not None and found.linear is not None

    def is_held(self, value: Any) -> bool:
        """Whether an argument is no constant, but has the value that it has on the reference."""
        found = self.shadow(value)
        return found is not None and found.linear is None

    def linear(self, value: Any) -> Any:
        """The linear value of an argument; the argument itself, or what stands in for it, where it
        is held or constant."""
        found = self.shadow(value)
        if found is None:
            return value
        held = value if found.stand_in is None else found.stand_in
        return held if found.linear is None else found.linear

    @property
    def all(self) -> list[Shadow]:
        """The shadows of all arguments."""
        tensors = (t for t in tree_leaves((self.args, dict(self.kwargs))) if isinstance(t, Tensor))
        return [self.shadows[id(t)] for t in tensors if id(t) in self.shadows]

    @property
    def passed(self) -> frozenset[Approximation]:
        """The approximations on the way to any of its arguments."""
        return NONE.union(*(s.all_passed for s in self.all))

    def on_linear(self, *, but: Mapping[int, Any] | None = None) -> Any:
        """What the function gives for linear values; `but` puts others in by place."""
        args = list(tree_map(self.linear, self.args))
        for number, value in (but or {}).items():
            args[number] = value
        return self.function(*args, **tree_map(self.linear, dict(self.kwargs)))

    def approximation(self, replaced: str, *, held: bool = False) -> Approximation:
        """That this operation is replaced so."""
        return Approximation(self.where, self.name, replaced, held)

    def weight(self, value: Tensor) -> Tensor:
        """A constant factor, or what stands for it where only structure is wanted."""
        if not self.structure or not value.is_floating_point():
            return value
        drawn = torch.rand(value.shape, generator=self.draws, dtype=value.dtype)
        return (drawn + 0.5).to(value.device)

    def with_name(self, name: str) -> "Call":
        """The same, called otherwise."""
        return replace(self, name=name)
