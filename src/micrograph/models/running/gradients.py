"""Letting gradients through where a network switches them off inside its forward pass."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.utils.checkpoint as checkpoints
from torch.overrides import TorchFunctionMode

from micrograph.errors import BadInput

_NONE = re.compile(r"derivative for (\S+) is not implemented")


class GradientsOn(TorchFunctionMode):
    """A context in which `torch.no_grad` and its like leave gradients on, as decorators too.

    A backbone that its author froze in this way can be looked at like any other.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is torch._C._set_grad_enabled and args and not args[0]:
            return None
        return func(*args, **(kwargs or {}))


@contextmanager
def inference_mode_off() -> Iterator[None]:
    """A context in which `torch.inference_mode()` inside a network does nothing."""
    enter = torch.inference_mode.__enter__

    def enter_without(mode: Any) -> None:
        mode.mode = False
        enter(mode)

    torch.inference_mode.__enter__ = enter_without  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.inference_mode.__enter__ = enter  # type: ignore[method-assign]


@contextmanager
def checkpoints_off(used: Callable[[], None] = lambda: None) -> Iterator[None]:
    """A context in which `torch.utils.checkpoint` just calls what it is given; `used` is told.

    A checkpointed part runs again in the backward pass, without what was done to its first run; and
    the reentrant kind gives no gradients of what lies inside.
    """

    class Reentrant:
        @staticmethod
        def apply(function: Callable[..., Any], preserve_state: bool, *args: Any) -> Any:
            used()
            return function(*args)

    def not_reentrant(*args: Any, **kwargs: Any) -> Iterator[None]:
        used()
        yield

    stand_ins = {
        "CheckpointFunction": Reentrant,
        "_checkpoint_without_reentrant_generator": not_reentrant,
    }
    before = {name: getattr(checkpoints, name) for name in stand_ins if hasattr(checkpoints, name)}
    for name in before:
        setattr(checkpoints, name, stand_ins[name])
    try:
        yield
    finally:
        for name, own in before.items():
            setattr(checkpoints, name, own)


@contextmanager
def derivatives_needed() -> Iterator[None]:
    """A context in which gradients are taken. Raises BadInput where the network has an operation on
    the way that has none, whatever torch says of it."""
    try:
        yield
    except RuntimeError as error:
        if (found := _NONE.search(str(error))) is None:
            raise
        raise BadInput(
            f"the network uses {found[1]} on the way, which has no derivative; expected operations "
            "that give a new value, such as y = f(x) instead of y.set_(x)"
        ) from None
