"""Following every value of a forward pass, operation by operation.

A value is identified by its memory, which views and in-place changes keep. No value is kept: a pass
that is watched takes the memory of one that is not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from micrograph.models.graph.aten import CONSTANTS, OVERWRITING, is_pointwise, trace
from micrograph.models.graph.aten_call import ALL, Call, Trace, arguments_by_name
from micrograph.models.graph.axes import axis, has, in_space, is_whole, unknown, visible
from micrograph.models.graph.flow import Flow, attends, flow_after
from micrograph.models.graph.layouts import in_place, layout_of
from micrograph.models.graph.receptive_field import UNKNOWN, WHOLE, Field, union
from micrograph.models.graph.slips import Slips
from micrograph.models.graph.sources import sources_after
from micrograph.models.graph.storages import Place, StorageNumbers, at, place_of
from micrograph.models.graph.unfollowed import Unfollowed, loss_after
from micrograph.models.graph.values import Memory, Origin, Producer, Value
from micrograph.models.graph.writes import is_all, reaches, trace_after_write
from micrograph.models.layout import AS_GIVEN, OutputLayout
from micrograph.models.node import CallSite
from micrograph.models.outputs import first_tensor, main_tensor, named_tensors

T = TypeVar("T")

_COPIES = frozenset(
    {"clone", "alias", "detach", "_to_copy", "copy_", "view", "_unsafe_view", "permute"}
    | {"transpose"}
)


@dataclass
class _OpenCall:
    """A module call that has not ended: its inputs, and the joins of each kind so far."""

    place: CallSite
    module: nn.Module
    inputs: list[tuple[Memory, int]]
    joins: dict[str, int] = field(default_factory=dict)

    def next_number(self, kind: str) -> int:
        """The number of this join among those of its kind; the next gets one more."""
        number = self.joins.get(kind, 0)
        self.joins[kind] = number + 1
        return number


class Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows every value of a forward pass. `values` are the future nodes, in order.

    Nothing that goes wrong in here reaches the network: it becomes one of the `slips`.
    """

    def __init__(
        self, parameters: dict[int, str], picture_axes: Mapping[CallSite, int] | None = None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.values: list[Value] = []
        self.slips = Slips()
        self.without_pictures: list[CallSite] = []
        self._parameters = parameters
        self._picture_axes = picture_axes or {}
        self._pictures = 0
        self._origins: dict[Memory, Origin] = {}
        self._versions: dict[int, int] = {}
        self._storages = StorageNumbers()
        # Which tensors there were in each storage.
        self._places: dict[int, dict[Memory, Place]] = {}
        # Parts of tensors that were written to, and what was known before of those around them.
        self._parts: dict[tuple[Memory, int], list[tuple[Memory, Origin | None]]] = {}
        self._counts: dict[str, int] = {}
        self._open_calls: list[_OpenCall] = []
        self._pixels = (0, 0)
        self._attending: dict[int, set[str]] = {}  # modules in which values went through attention
        self._unnamed: dict[tuple[Memory, int], list[Producer]] = {}  # of values that are no nodes
        self.has_output = False
        self.unfollowed = Unfollowed()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: shielding this class from the compiler would import it, which takes two seconds."""
        return False

    def _memory(self, t: Tensor) -> Memory:
        shape, storage = tuple(t.shape), self._storages.number(t)
        if t.layout is not torch.strided:
            return (storage, 0, shape, ())
        offset = int(t.storage_offset())
        steps = tuple(0 if n == 1 else step for n, step in zip(shape, t.stride(), strict=True))
        return (storage, offset, shape, steps)

    def _version(self, t: Tensor) -> int:
        return self._versions.get(self._storages.number(t), 0)

    def _origin(self, t: Tensor) -> Origin | None:
        return self._origins.get(self._memory(t))

    def _parameter(self, t: Tensor) -> str:
        return self._parameters.get(storage_of(t), "")

    def _safely(self, operation: str, step: Callable[..., T], *given: Any, otherwise: T) -> T:
        """What a step of ours gives, `otherwise` if it raises."""
        return self.slips.without(otherwise, self._path, operation, step, *given)

    def start(self, images: Tensor) -> None:
        """Begin at `images`, the input of the pass."""
        self._keep(images)
        self._pixels = (images.shape[2], images.shape[3])
        self._pictures = len(images)
        axes = tuple(axis(role, n) for role, n in zip("buyx", images.shape, strict=True))
        seen = Field.of_picture(*images.shape[2:])
        self._origins[self._memory(images)] = Origin(frozenset(), Trace(axes, seen))

    def mark_relu(self, result: Tensor, index: int) -> None:
        """`result` is what ReLU call number `index` gave."""
        self._safely("relu", self._mark_relu, result, index, otherwise=None)

    def _mark_relu(self, result: Tensor, index: int) -> None:
        origin = self._origin(result)
        if origin is not None:
            marked = replace(origin, relus=(index,), operation="relu")
            self._origins[self._memory(result)] = marked

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        namespace, _, name = func._schema.name.partition("::")
        name = name if namespace == "aten" else func._schema.name  # `other::linear` is another
        # Before the call: it may write into them.
        inputs = self._safely(name, self._inputs, func, name, args, kwargs, otherwise=None)
        results = func(*args, **kwargs)
        if inputs is None:
            self._safely(name, self._forget, func, args, kwargs, results, otherwise=None)
        else:
            self._safely(
                name, self._follow, func, name, args, kwargs, inputs, results, otherwise=None
            )
        return results

    def _inputs(self, func: Any, name: str, args: Any, kwargs: Any) -> list[tuple[Tensor, Origin]]:
        """The arguments that come from the pictures, if their values matter."""
        arguments = arguments_by_name(func, args, kwargs)
        if name in OVERWRITING or name in CONSTANTS:
            arguments.pop("self", None)
        given = [t for t in tree_leaves(arguments) if isinstance(t, Tensor)]
        return [(t, origin) for t in given if (origin := self._origin(t)) is not None]

    def _follow(
        self,
        func: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: list[tuple[Tensor, Origin]],
        results: Any,
    ) -> None:
        """Note what an operation gave, and what it wrote to."""
        arguments = arguments_by_name(func, args, kwargs)
        changed = _written_arguments(func, arguments)
        for t in changed:
            storage = self._storages.number(t)
            self._versions[storage] = self._versions.get(storage, 0) + 1
        leaves = tree_leaves(results)
        for number, result in (*((0, t) for t in changed), *enumerate(leaves)):
            if isinstance(result, Tensor):
                self._keep(result)
                if (
                    _gives_views(func)
                    and (self._memory(result), self._version(result)) in self._parts
                ):
                    continue  # the part that was just written to: what it holds is known
                self._trace_result(name, arguments, result, number, inputs, is_pointwise(func))
        for t in changed:
            self._spread(t)

    def _keep(self, t: Tensor) -> None:
        self._places.setdefault(self._storages.number(t), {}).setdefault(
            self._memory(t), place_of(t)
        )

    def _spread(self, part: Tensor) -> None:
        """Other tensors that hold what was just written to `part` take it in."""
        written = self._origin(part)
        around = self._parts.setdefault((self._memory(part), self._version(part)), [])
        for memory, place in self._places.get(self._storages.number(part), {}).items():
            if memory == self._memory(part) or not reaches(whole := at(place), part):
                continue
            before = self._origins.get(memory)
            found = trace_after_write(
                whole,
                None if before is None else before.trace,
                part,
                None if written is None else written.trace,
            )
            if found is None:
                continue
            if written is not None and is_all(part, whole):
                before = None  # nothing of it is left
            around.append((memory, before))
            both = [origin for origin in (before, written) if origin is not None]
            sources = frozenset().union(*(origin.sources for origin in both))
            operation = "cat" if written is not None else both[0].operation
            inputs = sum(origin.inputs for origin in both)
            flow = self._flow(operation, False, both)
            self._origins[memory] = Origin(sources, found, (), operation, inputs, (), flow)

    def _forget(self, func: Any, args: Any, kwargs: Any, results: Any) -> None:
        """Nothing is known of what an operation gave and wrote to."""
        written = _written_arguments(func, arguments_by_name(func, args, kwargs))
        for result in (*written, *tree_leaves(results)):
            if isinstance(result, Tensor):
                self._keep(result)
                self._origins.pop(self._memory(result), None)

    def _trace_result(
        self,
        name: str,
        arguments: dict[str, Any],
        result: Tensor,
        number: int,
        inputs: list[tuple[Tensor, Origin]],
        pointwise: bool,
    ) -> None:
        memory = self._memory(result)
        if not inputs:
            self._origins.pop(memory, None)
            return
        origins = [origin for _, origin in inputs]
        operation = name.rstrip("_")
        relus: tuple[int, ...] = ()
        if name in _COPIES or name == "cat":
            relus = tuple(dict.fromkeys(i for o in origins for i in o.relus))
        traces = tuple((t, origin.trace) for t, origin in inputs)
        seen = union(origin.trace.field for origin in origins)
        call = Call(operation, arguments, result, traces, seen, pointwise, number, self._parameter)
        lost = Trace(unknown(result.shape), UNKNOWN)
        found = self._safely(name, trace, call, otherwise=lost)
        given = [(t, origin.sources, origin.kinds) for t, origin in inputs]
        sources, kinds = sources_after(call, found, given)
        if found.token:
            queries = [origins[n] for n in found.apart]
            if queries:
                others = (o.sources for n, o in enumerate(origins) if n not in found.apart)
                sources = frozenset().union(*others)
            sources = frozenset((n, ALL if t == ALL else found.token) for n, t in sources)
            names = sorted({name for origin in queries for name, _ in origin.kinds})
            kinds = tuple(
                (name, sources.union(*(origin.sources_of(name) for origin in queries)))
                for name in names
            )
            sources = sources.union(*(origin.sources for origin in queries))
        self._origins[memory] = Origin(
            sources,
            found,
            relus,
            origins[0].operation if name in _COPIES else operation,
            len(inputs),
            kinds,
            self._flow(operation, pointwise, origins, _is_over_places(call)),
            loss_after(operation, self._path, found, origins),
        )

    @property
    def _path(self) -> str:
        """The module that is running."""
        return self._open_calls[-1].place.path if self._open_calls else ""

    def _flow(
        self,
        operation: str,
        pointwise: bool,
        origins: Sequence[Origin],
        over_places: bool = False,
    ) -> Flow:
        given = [(origin.flow, origin.numbers) for origin in origins]
        if attends(operation, [flow for flow, _ in given]) and self._open_calls:
            for number in frozenset().union(*(numbers for _, numbers in given)):
                self._attending.setdefault(number, set()).add(self._open_calls[-1].place.path)
        return flow_after(operation, pointwise, given, over_places)

    def enter(self, path: str, module: nn.Module, inputs: Any) -> None:
        """The module at `path` is called with `inputs`."""
        nothing: list[tuple[Memory, int]] = []
        seen = self._safely("its input", self._memories, inputs, otherwise=nothing)
        self._open_calls.append(_OpenCall(CallSite(path, self._counts.get(path, 0)), module, seen))

    def _memories(self, given: Any) -> list[tuple[Memory, int]]:
        tensors = [t for t in tree_leaves(given) if isinstance(t, Tensor)]
        return [(self._memory(t), self._version(t)) for t in tensors]

    def leave(self, path: str, module: nn.Module, output: Any) -> None:
        """The call of the module at `path` gave `output`."""
        entered = self._open_calls.pop()
        while entered.place.path != path:  # a call that raised, and somebody caught it
            entered = self._open_calls.pop()
        self._counts[path] = entered.place.call + 1
        self.slips.without(None, path, "its output", self._record_output, output, entered, module)

    def _record_output(self, output: Any, entered: _OpenCall, module: nn.Module) -> None:
        place = entered.place
        if not place.path and not isinstance(output, Tensor):
            main = main_tensor(output)
            for part, tensor in named_tensors(output).items():
                recorded = self._record_node(tensor, replace(place, part=part), module)
                self.has_output = recorded if tensor is main else self.has_output
            return
        first = first_tensor(output)
        if first is None or (self._memory(first), self._version(first)) in entered.inputs:
            return
        self._find_pictures(first, place)
        recorded = self._record_node(first, place, module, first is not output)
        origin = self._origin(first)
        if origin is not None and next(module.children(), None) is None:
            axes = origin.trace.axes
            self.unfollowed.called(place.path, recorded, origin.lost, axes)
        if not place.path:
            self.has_output = recorded

    def _find_pictures(self, output: Tensor, place: CallSite) -> None:
        """Note a value that has lost its axis of pictures, or give it the one that is known."""
        origin = self._origin(output)
        if origin is None or any(is_whole(one, "b") for one in origin.trace.axes):
            return
        if place in self._picture_axes:
            axes = list(origin.trace.axes)
            axes[self._picture_axes[place]] = axis("b", self._pictures)
            trace = replace(origin.trace, axes=tuple(axes))
            self._origins[self._memory(output)] = replace(origin, trace=trace)
        elif self._pictures > 1 and self._pictures in output.shape:
            self.without_pictures.append(place)

    def join(self, kind: str, parts: Sequence[Any], result: Tensor) -> None:
        """A sum, concatenation or product in plain code gave `result`."""
        self._safely(kind, self._record_join, kind, parts, result, otherwise=None)

    def _record_join(self, kind: str, parts: Sequence[Any], result: Tensor) -> None:
        numbers = [entered.next_number(kind) for entered in self._open_calls]
        origin = self._origin(result)
        if origin is None or (origin.inputs < 2 and kind != "glu"):
            return
        shapes = [part.shape for part in parts if isinstance(part, Tensor)]
        if kind in ("add", "mul") and any(shape != result.shape for shape in shapes):
            return
        if kind == "mul" and not self._is_gated(parts):
            return
        along = [d for d, size in enumerate(result.shape) if size != shapes[0][d]]
        units = all(is_whole(origin.trace.axes[d], "u") for d in along)
        if kind == "cat" and not (units and len(origin.sources) > 1):
            return
        inside = self._open_calls[-1]
        place = replace(inside.place, join=f"{kind}#{numbers[-1]}")
        self._record_node(result, place, inside.module)

    def _is_gated(self, parts: Sequence[Any]) -> bool:
        """Whether a product is that of two values, not of one and a function of it."""
        origins = (self._origin(part) for part in parts if isinstance(part, Tensor))
        return len({origin.flow.root for origin in origins if origin is not None}) > 1

    def _record_node(
        self, output: Tensor, place: CallSite, module: nn.Module, among_others: bool = False
    ) -> bool:
        """Add `output`, made at `place`, to the future nodes if its axes show its units; whether
        they do."""
        origin = self._origin(output)
        if not output.is_floating_point():
            return False
        known = layout_of(origin.trace.axes, self._pixels) if origin is not None else None
        within = tuple(type(entered.module).__name__ for entered in self._open_calls)
        if origin is None or known is None:
            producer = Producer(place, module, AS_GIVEN, within, among_others)
            key = self._memory(output), self._version(output)
            self._unnamed.setdefault(key, []).append(producer)
            return False
        layout, shape, tokens = known
        producer = Producer(place, module, layout, within, among_others)
        self._add(output, layout, shape, tokens, origin, [producer])
        return True

    def _add(
        self,
        output: Tensor,
        layout: OutputLayout,
        shape: tuple[int, ...],
        tokens: tuple[str, ...],
        origin: Origin,
        producers: list[Producer],
    ) -> None:
        shown = layout.shown(output, shape)
        number = self._storages.number
        same = number(shown) == number(output)  # else it is cut in blocks
        memory = self._memory(shown if same else output)
        version = self._version(output)
        origin = replace(
            origin, trace=replace(origin.trace, field=in_place(origin.trace.field, layout))
        )
        for value in self.values:
            if (value.memory, value.version) == (memory, version):
                value.producers += producers
                return
        if shown.ndim == 2 and any(in_space(one) for one in origin.trace.axes):  # flattened
            origin = replace(origin, trace=replace(origin.trace, field=WHOLE))
        value = Value(memory, version, shown.shape[1], shape, tokens, origin, producers)
        self._origins[self._memory(output)] = replace(
            origin,
            sources=frozenset({(len(self.values), "")}),
            kinds=(),
            flow=replace(origin.flow, attended=frozenset(), activated=frozenset()),
        )
        for whole, before in self._parts.get((self._memory(output), self._version(output)), ()):
            others = frozenset() if before is None else before.sources
            read = others | {(len(self.values), "")}  # it, no longer what it was made of
            self._origins[whole] = replace(self._origins[whole], sources=read, kinds=())
        self.values.append(value)

    def add_output(self, output: Tensor) -> None:
        """Make the network's output a node, though its axes could not be followed: pictures come
        first in it, and units second if it has the form of a map."""
        self.slips.without(None, "", "the network's output", self._add_output, output)

    def _add_output(self, output: Tensor) -> None:
        axes = unknown(output.shape)
        origin = self._origin(output) or Origin(frozenset(), Trace(axes, UNKNOWN))
        roles = {2: "b", 4: "buyx"}.get(output.ndim, "")
        fits = (
            is_whole(one, role) or not visible(one) or has([one], "?")
            for role, one in zip(roles, origin.trace.axes, strict=False)
        )
        producers = self._unnamed.get((self._memory(output), self._version(output)), [])
        if not (roles and producers and all(fits)):
            return
        if output.ndim == 2:
            origin = replace(origin, trace=replace(origin.trace, field=WHOLE))
        self._add(output, AS_GIVEN, tuple(output.shape[2:]), (), origin, producers)
        for producer in producers:
            if next(producer.module.children(), None) is None:
                self.unfollowed.called(producer.place.path, True, None, origin.trace.axes)

    def finish(self, output: Any) -> None:
        """After the pass: mark the values that were overwritten, and the network's output."""
        main = main_tensor(output)
        for number, value in enumerate(self.values):
            value.attending = frozenset(self._attending.get(number, ()))
            value.overwritten = self._versions.get(value.memory[0], 0) != value.version
            value.is_output = (
                main is not None and value.memory == self._memory(main) and not value.overwritten
            )


def _is_over_places(call: Call) -> bool:
    """Whether an operation along an axis, such as a softmax, goes over places of a map."""
    dim, axes = call.arguments.get("dim"), call.first.axes
    return isinstance(dim, int) and bool(axes) and bool(in_space(axes[dim % len(axes)]))


def storage_of(t: Tensor) -> int:
    """What tells the memory of a tensor from all others; a sparse one stands for itself."""
    return t.untyped_storage().data_ptr() if t.layout is torch.strided else -id(t)


def _written_arguments(func: Any, arguments: dict[str, Any]) -> list[Tensor]:
    """The arguments that an operation writes to."""
    if not func._schema.is_mutable:
        return []
    found = []
    for argument in func._schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write:
            leaves = tree_leaves(arguments.get(argument.name))
            found += [t for t in leaves if isinstance(t, Tensor)]
    return found


def _gives_views(func: Any) -> bool:
    """Whether what an operation gives lies in the memory of its arguments, which it only reads."""
    aliases = [r.alias_info for r in func._schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)
