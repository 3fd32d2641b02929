"""Following the linearized network beside the network's own pass."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from micrograph.models.linear.approximation import Approximation
from micrograph.models.linear.call import LinearCall, Linearized
from micrograph.models.linear.heads import Heads
from micrograph.models.linear.operations import WITHOUT_VALUES, made
from micrograph.models.linear.shadow import NONE, Shadow


class Following(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A context in which every value that depends on a source has a `Shadow`.

    The pass itself is the network's own, value by value; a source is declared by `begin`. `where`
    names the place that the pass is at.
    """

    def __init__(
        self, where: Callable[[], str], *, structure: bool = False, heads: Heads | None = None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._where, self._structure, self._heads = where, structure, heads
        if heads is not None:
            heads.times.clear()
        self._draws = torch.Generator().manual_seed(0)
        self._shadows: dict[int, Shadow] = {}
        self._by_memory: dict[int, list[Shadow]] = {}
        self._flat: dict[int, Tensor] = {}
        self._kept: list[Tensor] = []
        self.bytes = 0
        """What the linear values take."""
        self.read: set[Approximation] = set()
        """Numbers that the network took out of values that depend on the source."""
        # Operations in here are below autograd, unless they begin as those outside do.
        self._included = torch._C._dispatch_tls_local_include_set()
        self._excluded = torch._C._dispatch_tls_local_exclude_set()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: shielding this class from the compiler would import it, which takes two seconds."""
        return False

    @contextmanager
    def graded(self) -> Iterator[None]:
        """A context in which operations make a graph for gradients."""
        with (
            torch._C._ForceDispatchKeyGuard(self._included, self._excluded),
            torch.enable_grad(),
            torch._C.DisableTorchFunction(),
        ):
            yield

    def begin(self, value: Tensor, linear: Tensor) -> None:
        """`value` is the source's; `linear` stands for it in the linearized network."""
        self._set(Shadow(value, linear))

    def begin_picture(self, value: Tensor) -> None:
        """`value` is the picture: what is made of it before the source is held."""
        self._set(Shadow(value, None, of_source=False))

    def shadow(self, value: Tensor) -> Shadow | None:
        """What is known of a value; None for what does not depend on a source."""
        found, memory = self._shadows.get(id(value)), _memory(value)
        flat, there = self._flat.get(memory), self._by_memory.get(memory, ())
        if flat is None and (found is not None or all(s.linear is None for s in there)):
            return found
        with self.graded():
            if flat is None:  # a view from before its memory was written through another
                flat = self._flat_of(value, [s for s in there if s.of_source])
            view = flat[_numbers(value)]
        if not view.requires_grad:
            return found
        others = [s for s in there if s.of_source]
        passed = NONE.union(*(s.all_passed for s in others))
        return Shadow(value, view, passed, of_source=bool(others))

    def _set(self, shadow: Shadow) -> None:
        self._forget(shadow.value)
        self._shadows[id(shadow.value)] = shadow
        if shadow.linear is not None:
            self.bytes += shadow.value.numel() * shadow.value.element_size()
        self._by_memory.setdefault(_memory(shadow.value), []).append(shadow)

    def _forget(self, value: Tensor) -> None:
        old = self._shadows.pop(id(value), None)
        if old is not None:
            self._by_memory[_memory(value)].remove(old)
            self._kept.append(value)  # its number must not become another's

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        operands = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        shadows = {id(t): s for t in operands if (s := self.shadow(t)) is not None}
        # With heads chosen, a pattern may be made before the source.
        if not any(s.of_source for s in shadows.values()) and not (self._heads and shadows):
            return self._before_source(func, args, kwargs, bool(shadows))
        written = _written(func, args, kwargs)
        namespace, _, name = func._schema.name.partition("::")
        if written:
            # As they were before, for what is worked out of them.
            before = {id(t): t.clone() for t in written}
            given, named = _with(before, args), _with(before, kwargs)
            shadows |= {id(before[id(t)]): shadows[id(t)] for t in written if id(t) in shadows}
            function, name = _functional(func), name.removesuffix("_")
        else:
            given, named, function = args, kwargs, func
        result = func(*args, **kwargs)
        call = LinearCall(
            function,
            name if namespace == "aten" else func._schema.name,
            given,
            named,
            result,
            shadows,
            self._where(),
            self._structure,
            self._draws,
            self._heads,
        )
        with self.graded():
            followed = function is not None and len(written) < 2
            found = made(call) if followed else _refused(call)
            if written:
                self._write(written[0], call, found)
            elif found is not None:
                self._keep_made(call, found)
        return result

    def _before_source(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], of_picture: bool
    ) -> Any:
        """An operation on nothing of the source: what it makes of the picture is held."""
        result = func(*args, **kwargs)
        name = func._schema.name.partition("::")[2].removesuffix("_")
        if of_picture and name not in WITHOUT_VALUES:
            for value in (*_parts(result), *_written(func, args, kwargs)):
                if isinstance(value, Tensor) and id(value) not in self._shadows:
                    self._set(Shadow(value, None, of_source=False))
        return result

    def _keep_made(self, call: LinearCall, found: Linearized) -> None:
        results = _parts(call.result)
        linear = _parts(found.linear) if found.linear is not None else [None] * len(results)
        if call.name == "_local_scalar_dense":
            floats = any(t.is_floating_point() for t in call.args)
            if floats:
                self.read.add(
                    Approximation(call.where, "item", "a number is read out of it", refused=True)
                )
            return
        for value, one in zip(results, linear, strict=True):
            if isinstance(value, Tensor):
                self._set(self._shadow_of(value, one, call, found))

    def _shadow_of(
        self, value: Tensor, linear: Tensor | None, call: LinearCall, found: Linearized
    ) -> Shadow:
        if linear is not None and not (value.is_floating_point() and linear.requires_grad):
            linear = None
        passed = call.passed if found.passed is None else found.passed
        of_source = any(s.of_source for s in call.all)
        shadow = Shadow(
            value, linear, passed, found.trailing, found.gate, found.top, of_source=of_source
        )
        shadow.stand_in = found.stand_in if linear is None else None
        roots = {id(s.root): s.root for s in call.all}
        if found.as_elementwise and len(roots) == 1:
            (root,) = roots.values()
            if root.value.shape == value.shape:
                shadow.origin = root
        return shadow

    def _write(self, target: Tensor, call: LinearCall, found: Linearized | None) -> None:
        """`target` was written into; so are all views of its memory."""
        memory = _memory(target)
        others = [
            s for s in self._by_memory.get(memory, ()) if s.value is not target and s.of_source
        ]
        whole = target.numel() * target.element_size() == target.untyped_storage().nbytes()
        if not others and whole and memory not in self._flat:
            if found is None:
                self._forget(target)
            else:
                self._set(self._shadow_of(target, _parts(found.linear)[0], call, found))
            return
        linear = None if found is None else _parts(found.linear)[0]
        new = (target if linear is None else linear).expand(target.shape)
        flat = self._flat_of(target, others)
        self._flat[memory] = flat.index_put((_numbers(target),), new.to(flat.dtype))
        if found is not None:
            passed = call.passed if found.passed is None else found.passed
            of_source = any(s.of_source for s in call.all)
            self._set(Shadow(target, linear, passed | found.trailing, of_source=of_source))

    def _flat_of(self, target: Tensor, others: Sequence[Shadow]) -> Tensor:
        """The linear values of all the memory of `target`."""
        memory = _memory(target)
        if memory in self._flat:
            return self._flat[memory]
        size = target.untyped_storage().nbytes() // target.element_size()
        flat = target.as_strided((size,), (1,), 0).clone()
        known = [*others, *([s] if (s := self._shadows.get(id(target))) else [])]
        for shadow in sorted(known, key=lambda s: s.value.numel()):
            value = shadow.value
            if shadow.linear is not None and value.dtype == target.dtype:
                flat = flat.index_put((_numbers(value),), shadow.linear)
        return flat


def _memory(value: Tensor) -> int:
    return int(value.untyped_storage()._cdata)


def _numbers(value: Tensor) -> Tensor:
    """Where in its memory each number of `value` lies.

    Not by `as_strided_scatter`: its gradients leave out what it does not write over.
    """
    size = value.untyped_storage().nbytes() // value.element_size()
    every = torch.arange(size, device=value.device)
    return every.as_strided(value.shape, value.stride(), value.storage_offset())


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """The arguments that an operation writes into."""
    if not func._schema.is_mutable:
        return []
    found: list[Tensor] = []
    for number, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[number] if number < len(args) else kwargs.get(argument.name)
            found += [t for t in tree_leaves(value) if isinstance(t, Tensor)]
    return found


def _with(other: dict[int, Tensor], given: Any) -> Any:
    """Arguments with other tensors in place of some."""
    return tree_map(lambda v: other.get(id(v), v) if isinstance(v, Tensor) else v, given)


def _functional(func: Any) -> Any:
    """The operation that gives what this one writes; None if there is none."""
    name = func._schema.name.partition("::")[2]
    packet = getattr(torch.ops.aten, name.removesuffix("_"), None) if name[-1] == "_" else None
    return getattr(packet, func._overloadname, None) if packet is not None else None


def _refused(call: LinearCall) -> Linearized:
    note = Approximation(
        call.where, call.name, "it writes in a way that is not followed", refused=True
    )
    return Linearized(None, frozenset({note}))
