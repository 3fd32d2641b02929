"""What the parts of a network keep for themselves, noticed when it changes, and put back.

A forward pass may count its calls, collect features in a list, or write into a buffer; one that is
stopped early leaves such things half done, and the next pass finds them there.
"""

import random
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_TORCHS_OWN = frozenset(vars(nn.Module())) - {"training"}
"""What every module has; buffers are looked at by themselves."""
_PLAIN = (int, float, str, bool, complex, bytes, type(None), tuple)
_CONTAINERS = (list, dict, set, deque)
_DEPTH = 3
"""How many objects deep: a module's list, in an object of its own, of lists."""
_GONE = object()
_MANY = 200
"""Of containers with more items only the number is watched: vocabularies, names of classes."""

Random = torch.Generator | np.random.Generator | np.random.RandomState | random.Random


class State:
    """What the parts of `module` keep besides parameters, as it stands.

    Attributes and what is in them, buffers, generators of random numbers, and the lists that
    `forward` shares with other code; of the parts at `paths` only, if they are given. With `hooks`
    also the lists of hooks: what somebody collects with them is theirs, so it never counts as a
    change.
    """

    def __init__(
        self, module: nn.Module, paths: Collection[str] | None = None, *, hooks: bool = False
    ) -> None:
        self._held: list[tuple[str, Any, Any]] = []
        self._tensors: list[tuple[str, Tensor, int, Tensor]] = []
        self._buffers: list[tuple[str, nn.Module, str, Tensor]] = []
        self._randoms: list[tuple[str, Random, Any]] = []
        self._seen: set[int] = set()
        self._copies: dict[int, Tensor] = {}
        for path, part in module.named_modules():
            if paths is None or path in paths:
                self._hold_part(path, part)
        self._own = len(self._held), len(self._tensors), len(self._randoms)
        for path, part in module.named_modules() if hooks else ():
            for hook in (*part._forward_hooks.values(), *part._forward_pre_hooks.values()):
                self._hold_function(path, hook)

    def changed(self, numbers: bool = True) -> Iterator[str]:
        """The paths of the parts where something is not as it was. Without `numbers` a tensor that
        norms wrote into may be missed: torch does not count that."""
        held, _, randoms = self._own
        for path, holder, before in self._held[:held]:
            if not _as_it_was(holder, before):
                yield path
        yield from self.changed_numbers(numbers)
        for path, generator, before in self._randoms[:randoms]:
            if not _equal_states(_state_of(generator), before):
                yield path

    def changed_numbers(self, numbers: bool = True) -> Iterator[str]:
        """As `changed`, of tensors alone."""
        for path, tensor, version, copy in self._tensors[: self._own[1]]:
            if _version(tensor) != version or (numbers and not _equal_numbers(tensor, copy)):
                yield path
        for path, part, name, buffer in self._buffers:
            if part._buffers.get(name) is not buffer:
                yield path

    def restore(self) -> None:
        """Put everything back as it was."""
        for _, holder, before in self._held:
            if not _as_it_was(holder, before):
                _fill(holder, before)
        self.restore_numbers()
        for _, generator, before in self._randoms:
            if not _equal_states(_state_of(generator), before):
                _set_state(generator, before)

    def restore_numbers(self) -> None:
        """Put back what was written into tensors, and nothing else."""
        for _, part, name, buffer in self._buffers:
            copy = self._copies[id(buffer)]
            # The one that was written into may belong to a gradient still.
            part._buffers[name] = buffer if _equal_numbers(buffer, copy) else copy.clone()
        buffers = {id(buffer) for *_, buffer in self._buffers}
        with torch.no_grad():
            for _, tensor, _, copy in self._tensors:
                if id(tensor) not in buffers and not _equal_numbers(tensor, copy):
                    tensor.copy_(copy)

    def _hold_part(self, path: str, part: nn.Module) -> None:
        for name, buffer in part._buffers.items():
            self._hold(path, buffer, 0)
            if buffer is not None:
                self._buffers.append((path, part, name, buffer))
        if not type(part).__module__.startswith("torch.nn."):
            own = _Attributes(vars(part))
            self._held.append((path, own, _content(own)))
            for value in own.values():
                self._hold(path, value, 1)
            self._hold_function(path, getattr(type(part), "forward", None))

    def _hold_function(self, path: str, function: Any) -> None:
        """The containers that a function shares with other code."""
        if isinstance(function, MethodType):
            self._hold(path, function.__self__, 1)
            function = function.__func__
        if isinstance(function, FunctionType):
            named = (function.__globals__.get(name) for name in function.__code__.co_names)
            for value in (*_cells(function), *named):
                if isinstance(value, _CONTAINERS):
                    self._hold(path, value, 1)

    def _hold(self, path: str, value: Any, depth: int) -> None:
        if value is None or id(value) in self._seen or isinstance(value, nn.Module | type):
            return
        if isinstance(value, Tensor):
            self._seen.add(id(value))
            self._copies[id(value)] = value.detach().clone()
            self._tensors.append((path, value, _version(value), self._copies[id(value)]))
        elif isinstance(value, Random):
            self._seen.add(id(value))
            self._randoms.append((path, value, _state_of(value)))
        elif depth <= _DEPTH:
            holder = value if isinstance(value, _CONTAINERS) else _attributes_of(value)
            if holder is None:
                return
            self._seen.add(id(value))
            self._held.append((path, holder, _content(holder)))
            inside = holder.values() if isinstance(holder, dict | _Attributes) else holder
            for inner in inside if len(inside) <= _MANY else ():
                self._hold(path, inner, depth + 1)


class _Attributes:
    """The attributes of an object, less those that every module has."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.others = len(given.keys() & _TORCHS_OWN)

    def __len__(self) -> int:
        return len(self.given) - self.others

    def values(self) -> Collection[Any]:
        values: Collection[Any] = _content(self).values()
        return values


def _attributes_of(value: Any) -> _Attributes | None:
    """Of an object of somebody's own class; None for those of Python: locks, loggers, ..."""
    root = type(value).__module__.partition(".")[0]
    if root in sys.stdlib_module_names and not isinstance(value, SimpleNamespace):
        return None
    given = getattr(value, "__dict__", None)
    return _Attributes(given) if isinstance(given, dict) else None


def _content(holder: Any) -> Any:
    """What is in it now, as a copy that does not change with it."""
    if isinstance(holder, _Attributes):
        return {k: v for k, v in holder.given.items() if k not in _TORCHS_OWN}
    return holder.copy()


def _fill(holder: Any, content: Any) -> None:
    if isinstance(holder, _Attributes):
        for name in [n for n in holder.given if n not in _TORCHS_OWN and n not in content]:
            del holder.given[name]
        holder.given.update(content)
        return
    holder.clear()
    (holder.update if isinstance(holder, dict | set) else holder.extend)(content)


def _as_it_was(holder: Any, before: Any) -> bool:
    if len(holder) != len(before) or len(holder) > _MANY:
        return len(holder) == len(before)
    inside = holder.given if isinstance(holder, _Attributes) else holder
    if isinstance(before, dict):
        return all(v is (now := inside.get(k, _GONE)) or _equal(v, now) for k, v in before.items())
    if isinstance(before, set):
        return bool(inside == before)
    return all(map(_equal, inside, before))


def _equal(a: Any, b: Any) -> bool:
    """Whether two values are the same object; plain ones need only be equal."""
    if a is b:
        return True
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(_equal, a, b))
    return type(a) is type(b) and isinstance(a, _PLAIN) and bool(a == b)


def _version(tensor: Tensor) -> int:
    """How often it was written to; 0 where torch does not count that."""
    return 0 if tensor.is_inference() else tensor._version


def _equal_numbers(a: Tensor, b: Tensor) -> bool:
    if a.layout is not torch.strided:
        return a.layout == b.layout  # sparse ones cannot be compared; the version tells of writes
    if a.shape != b.shape or not a.is_floating_point():
        return torch.equal(a, b)
    return torch.equal(a, b) or torch.equal(a.nan_to_num(), b.nan_to_num())


def _cells(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _state_of(generator: Random) -> Any:
    if isinstance(generator, torch.Generator):
        return generator.get_state().clone()
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, np.random.RandomState):
        return generator.get_state()
    return generator.getstate()


def _set_state(generator: Random, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, random.Random):
        generator.setstate(state)
    else:
        generator.set_state(state)


def _equal_states(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    return repr(a) == repr(b)


@contextmanager
def kept(
    module: nn.Module, paths: Collection[str] | None = None, *, hooks: bool = False
) -> Iterator[State]:
    """A context behind which the parts of `module` (at `paths`) keep what they kept before it."""
    state = State(module, paths, hooks=hooks)
    try:
        yield state
    finally:
        state.restore()


@contextmanager
def same_draws(device: torch.device) -> Iterator[None]:
    """A context in which random numbers are the same every time; behind it all is as before."""
    here = [device] if device.type == "cuda" else []
    numpys, pythons = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(here):
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        try:
            yield
        finally:
            np.random.set_state(numpys)
            random.setstate(pythons)


def draws_of(device: torch.device) -> Callable[[], bool]:
    """A function that says whether random numbers were drawn since it was made."""

    def states() -> tuple[Any, ...]:
        torchs = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return torch.get_rng_state(), torchs, _state_of(np.random.mtrand._rand), random.getstate()

    before = states()
    return lambda: not all(map(_equal_states, before, states()))
