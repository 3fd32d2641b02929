"""Calling a function when a forward pass reaches a module's output, or a sum inside a module.

Of a module that gives several values it is the main one that is reached, and replaced.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any, cast

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from micrograph.models.node import CallSite
from micrograph.models.outputs import first_tensor, named_tensors, with_first_tensor
from micrograph.models.running.joins import JoinCalls

_OURS = "_micrograph_tap"
Reached = Callable[[CallSite, Any], Tensor | None]


class Taps(JoinCalls):
    """A context in which `reached(place, value)` is called at each of `places`, in every pass.

    What it returns, unless None, replaces the value. No hook is left behind.
    """

    def __init__(self, module: nn.Module, places: Iterable[CallSite], reached: Reached) -> None:
        super().__init__()
        self._module, self._reached = module, reached
        self._places = frozenset(places)
        self._paths = {place.path for place in self._places}
        self._joins = any(place.join for place in self._places)
        self._calls: dict[str, int] = {}
        self._inside: list[tuple[str, dict[str, int]]] = []
        self._stack = ExitStack()
        self._ours = False  # whether what is computed is ours, and no join of the network's

    def __enter__(self) -> "Taps":
        with ExitStack() as stack:
            stack.callback(self._module.register_forward_pre_hook(self._restart).remove)
            for path in self._paths:
                part = self._module.get_submodule(path)
                before, after = self._hooks(path)
                stack.callback(part.register_forward_pre_hook(before).remove)
                stack.callback(_register_early(part, after).remove)
            if self._joins:
                super().__enter__()  # type: ignore[no-untyped-call]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._joins:
            super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._stack.close()

    def _restart(self, module: nn.Module, inputs: Any) -> None:
        self._calls = dict.fromkeys(self._paths, 0)
        self._inside = []

    def _hooks(self, path: str) -> tuple[Callable[..., None], Callable[..., Any]]:
        def before(module: nn.Module, inputs: Any) -> None:
            self._inside.append((path, {}))

        def after(module: nn.Module, inputs: Any, output: Any) -> Any:
            while self._inside.pop()[0] != path:  # a call that raised, and somebody caught it
                pass
            call = self._calls[path]
            self._calls[path] += 1
            place = CallSite(path, call)
            if not path and not isinstance(output, Tensor):
                self._reach_parts(output, call)
                return None
            first = first_tensor(output)
            if first is None or place not in self._places:
                return None
            self._ours = True
            try:
                other = self._reached(place, first)
            finally:
                self._ours = False
            return None if other is None else with_first_tensor(output, other)

        return before, after

    def _reach_parts(self, output: Any, call: int) -> None:
        """Of a network that gives several tensors; behind them is nothing to be replaced for."""
        for part, tensor in named_tensors(output).items():
            place = CallSite("", call, part=part)
            if place in self._places:
                self._reached(place, tensor)

    def joined(self, kind: str, parts: Sequence[Any], result: Tensor) -> Tensor:
        """Counted in every module that the call happens in."""
        if self._ours:
            return result
        for path, counts in self._inside:
            number = counts.get(kind, 0)
            counts[kind] = number + 1
            place = CallSite(path, self._calls[path], f"{kind}#{number}")
            if place in self._places and (other := self._reached(place, result)) is not None:
                result = other
        return result


def _register_early(module: nn.Module, hook: Callable[..., Any]) -> RemovableHandle:
    """Hang `hook` on a module before the hooks of others, but behind earlier ones of ours: what a
    library records of the output, and hands to a head later, is what `hook` made of it."""
    setattr(hook, _OURS, True)
    hooks = cast("OrderedDict[int, Any]", module._forward_hooks)
    before = [number for number, other in hooks.items() if hasattr(other, _OURS)]
    handle = module.register_forward_hook(hook, prepend=True)
    for number in reversed(before):
        hooks.move_to_end(number, last=False)
    return handle
