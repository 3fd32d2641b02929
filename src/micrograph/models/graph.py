"""The graph of any network: nodes, edges and receptive fields, found by watching a forward pass.

Modules say where the nodes are: each output that is one tensor with an axis of units is a node.
Operations underneath, seen as ATen calls, say how values depend on each other; so functional code
(an addition, a concatenation, an in-place ReLU) is understood as well as modules are. A value is
known by the memory it lies in, which survives views and in-place changes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from micrograph.models.aten import field_of, is_pointwise
from micrograph.models.receptive_field import Field
from micrograph.models.relu import ReLUCalls

Place = tuple[int, int, tuple[int, ...], tuple[int, ...]]
_COPIES = frozenset({"clone", "alias", "detach", "_to_copy", "copy_", "view", "_unsafe_view"})


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: the nearest calls of modules upstream, its field, its ReLU calls.

    `made_by` is the name of the operation that gave it.
    """

    calls: frozenset[int]
    field: Field
    relus: tuple[int, ...] = ()
    made_by: str = ""


@dataclass
class Value:
    """The output of one or several module calls: a node to be. `calls` in the order they ended."""

    place: Place
    version: int
    units: int
    shape: tuple[int, ...]
    origin: Origin
    calls: list[tuple[str, int, nn.Module]] = field(default_factory=list)
    overwritten: bool = False
    is_output: bool = False


class Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows every value of a forward pass. `values` are the module outputs, in order."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.values: list[Value] = []
        self._origins: dict[Place, Origin] = {}
        self._versions: dict[int, int] = {}
        self._kept: list[Tensor] = []  # while these live, no memory is used twice
        self._counts: dict[str, int] = {}
        self._entered: list[tuple[str, list[tuple[Place, int]]]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: shielding this class from the compiler would import it, which takes two seconds."""
        return False

    @staticmethod
    def _place(t: Tensor) -> Place:
        offset = int(t.storage_offset())
        return (t.untyped_storage().data_ptr(), offset, tuple(t.shape), t.stride())

    def _version(self, t: Tensor) -> int:
        return self._versions.get(t.untyped_storage().data_ptr(), 0)

    def start(self, images: Tensor) -> None:
        """`images` is what everything comes from."""
        self._kept.append(images)
        self._origins[self._place(images)] = Origin(frozenset(), Field())

    def mark_relu(self, result: Tensor, index: int) -> None:
        """`result` is what ReLU call number `index` gave."""
        origin = self._origins.get(self._place(result))
        if origin is not None:
            self._origins[self._place(result)] = Origin(
                origin.calls, origin.field, (index,), "relu"
            )

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.partition("::")[2]
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        if name == "copy_":
            given = given[1:]
        origins = [o for t in given if (o := self._origins.get(self._place(t))) is not None]
        results = func(*args, **kwargs)
        changed = _changed(func, args, kwargs)
        for t in changed:
            storage = t.untyped_storage().data_ptr()
            self._versions[storage] = self._versions.get(storage, 0) + 1
        for result in (*changed, *tree_leaves(results)):
            if isinstance(result, Tensor):
                self._kept.append(result)
                self._follow(name, args, result, origins, is_pointwise(func))
        return results

    def _follow(
        self, name: str, args: tuple[Any, ...], result: Tensor, origins: list[Origin], same: bool
    ) -> None:
        place = self._place(result)
        if not origins:
            self._origins.pop(place, None)
            return
        operation = name.rstrip("_")
        relus: tuple[int, ...] = ()
        if name in _COPIES or name == "cat":
            relus = tuple(dict.fromkeys(i for o in origins for i in o.relus))
        self._origins[place] = Origin(
            frozenset().union(*(o.calls for o in origins)),
            field_of(operation, args, result, [o.field for o in origins], same),
            relus,
            origins[0].made_by if name in _COPIES else operation,
        )

    def enter(self, path: str, inputs: Any) -> None:
        """The module at `path` is called with `inputs`."""
        tensors = [t for t in tree_leaves(inputs) if isinstance(t, Tensor)]
        self._entered.append((path, [(self._place(t), self._version(t)) for t in tensors]))

    def leave(self, path: str, module: nn.Module, output: Any) -> None:
        """The call of the module at `path` gave `output`."""
        entered, inputs = self._entered.pop()
        while entered != path:  # a call that raised, and somebody caught it
            entered, inputs = self._entered.pop()
        call = self._counts.get(path, 0)
        self._counts[path] = call + 1
        if not isinstance(output, Tensor) or output.ndim not in (2, 4):
            return
        place, version = self._place(output), self._version(output)
        origin = self._origins.get(place)
        if origin is None or (place, version) in inputs:
            return
        for value in self.values:
            if (value.place, value.version) == (place, version):
                value.calls.append((path, call, module))
                return
        value = Value(place, version, output.shape[1], tuple(output.shape[2:]), origin)
        value.calls.append((path, call, module))
        self._origins[place] = Origin(
            frozenset({len(self.values)}), origin.field, origin.relus, origin.made_by
        )
        self.values.append(value)

    def finish(self, output: Any) -> None:
        """The pass is over: which values were overwritten, which one is the network's output."""
        for value in self.values:
            value.overwritten = self._versions.get(value.place[0], 0) != value.version
            value.is_output = (
                isinstance(output, Tensor)
                and value.place == self._place(output)
                and not value.overwritten
            )


def _changed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """The arguments that an operation writes to."""
    if not func._schema.is_mutable:
        return []
    found = []
    for number, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[number] if number < len(args) else kwargs.get(argument.name)
            found += [t for t in tree_leaves(value) if isinstance(t, Tensor)]
    return found


class _Numbering(ReLUCalls):
    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def relu(self, x: Tensor, index: int) -> Tensor:
        result = super().relu(x, index)
        self.watcher.mark_relu(result, index)
        return result


@contextmanager
def _watched(module: nn.Module, watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` of every module call; takes its hooks away again, also after an error."""
    with ExitStack() as stack:
        for path, part in module.named_modules():
            before, after = _hooks(watcher, path)
            stack.callback(part.register_forward_pre_hook(before, with_kwargs=True).remove)
            stack.callback(part.register_forward_hook(after).remove)
        yield


def _hooks(watcher: Watcher, path: str) -> tuple[Callable[..., None], Callable[..., None]]:
    def before(module: nn.Module, args: Any, kwargs: Any) -> None:
        watcher.enter(path, (args, kwargs))

    def after(module: nn.Module, args: Any, output: Any) -> None:
        watcher.leave(path, module, output)

    return before, after


def watch(module: nn.Module, images: Tensor) -> Sequence[Value]:
    """The module outputs that arise when `module` runs on `images` [batch, 3, y, x]."""
    watcher = Watcher()
    watcher.start(images)
    with torch.no_grad(), _watched(module, watcher), watcher, _Numbering(watcher):
        output = module(images)
    watcher.finish(output)
    return watcher.values
