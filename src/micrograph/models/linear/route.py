"""One pass from a source to a target, with the linearized network beside it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from micrograph.models.dictionaries.attached import Attached
from micrograph.models.dictionaries.normalizing import scale_back
from micrograph.models.linear.approximation import Approximation
from micrograph.models.linear.following import Following
from micrograph.models.linear.heads import Heads
from micrograph.models.linear.shadow import NONE, Shadow
from micrograph.models.model import Model
from micrograph.models.node import CallSite, Node
from micrograph.models.running.capture import grid_of
from micrograph.models.running.gradients import derivatives_needed, inference_mode_off
from micrograph.models.running.passes import mended
from micrograph.models.running.taps import Taps


class _Arrived(BaseException):
    """The target was reached. A BaseException, so that no network catches it."""


@dataclass(frozen=True)
class Passed:
    """`target` [unit, y, x] or [unit] of the linearized network, with a graph back to `source`
    [unit, y, x] or [unit]; None if nothing of the source arrives by linear operations.

    `arrives` says whether it depends on the source at all, `row` is about how many bytes the
    gradients of one of its values take.
    """

    source: Tensor
    target: Tensor | None
    arrives: bool
    approximations: frozenset[Approximation]
    row: int


@dataclass(frozen=True)
class Route:
    """From a node to another on `images`, preprocessed pictures [1, channel, y, x]."""

    model: Model
    source: Node
    target: Node
    images: Tensor
    heads: Heads | None = None

    @property
    def begins(self) -> Node:
        """The network's node where the source's values come in: what a dictionary writes."""
        attached = self.model.attached(self.source.id)
        return self.source if attached is None else attached.writes

    @property
    def ends(self) -> Node:
        """The network's node where the target is read."""
        attached = self.model.attached(self.target.id)
        return self.target if attached is None else attached.base

    @property
    def can_be_cut(self) -> bool:
        """Whether the source may be given a smaller map than it has."""
        return self.begins.layout.as_given and self.model.attached(self.source.id) is None

    def passed(self, *, structure: bool = False, size: tuple[int, int] | None = None) -> Passed:
        """One pass; with a `size` of the source's map other than its own."""
        return LinearPass(self, structure, size).run()


class LinearPass:
    """A pass along a route, until its target is reached."""

    def __init__(self, route: Route, structure: bool, size: tuple[int, int] | None) -> None:
        self.route, self.size = route, size
        self.model = route.model
        self.places = _Places(route.model)
        self.following = Following(self.places.here, structure=structure, heads=route.heads)
        self.leaf: Tensor | None = None
        self.read: Tensor | None = None
        self.notes: set[Approximation] = set()
        self.target: Tensor | None = None
        self.arrived: Shadow | None = None
        self.x = route.images

    def run(self) -> Passed:
        """What comes of it."""
        model, passes = self.model, self.model.passes
        if passes.paired:
            self.x = self.x.repeat(2, 1, 1, 1)
        fast = torch.backends.mha.get_fastpath_enabled()
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(inference_mode_off())
            stack.enter_context(torch.no_grad())
            stack.enter_context(mended(model.module, passes, model.device))
            stack.enter_context(self.places.watched())
            stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
            torch.backends.mha.set_fastpath_enabled(False)
            self.begin_picture()
            stack.enter_context(self.following)
            stack.enter_context(Taps(model.module, self.stops(), self.reached))
            with suppress(_Arrived):
                model.module(self.x)
        return self._result()

    def begin_picture(self) -> None:
        """Before the pass: what is made of the picture before the source is held."""
        self.following.begin_picture(self.x)

    def stops(self) -> list[CallSite]:
        """The places where values are looked at."""
        ends = [self.route.begins.place, self.route.ends.place]
        reader = self.model.attached(self.route.source.id)
        if reader is not None and reader.transcodes:
            ends.append(reader.base.place)
        return ends

    def _result(self) -> Passed:
        found = self.arrived
        leaf = torch.zeros(()) if self.leaf is None else self.leaf
        notes = NONE if found is None else found.passed | self.following.read | self.notes
        return Passed(
            leaf,
            self.target,
            found is not None and found.of_source,
            notes,
            self.following.bytes,
        )

    def reached(self, place: CallSite, value: Tensor) -> Tensor | None:
        """At a stop: what goes on in the value's place, None for the value itself."""
        put = None
        attached = self.model.attached(self.route.source.id)
        if attached is not None and place == attached.base.place:
            self.read = attached.base.layout.shown(value, grid_of(attached.base, value, self.x))
        with _disable_current_modes(), torch._C.DisableTorchFunction(), torch.enable_grad():
            if place == self.route.begins.place:
                put = self._begin(value, attached)
            if place == self.route.ends.place:
                self.arrive(value if put is None else put)
        return put

    def _begin(self, value: Tensor, attached: Attached | None) -> Tensor | None:
        """The source is here: its shadow begins, on a smaller map if that is wanted."""
        node, put = self.route.begins, None
        if self.size is not None:
            value = put = value[..., : self.size[0], : self.size[1]].clone()
            if tuple(value.shape[-2:]) != self.size:
                value = put = value.new_zeros(*value.shape[:-2], *self.size)
        shown = node.layout.shown(value, grid_of(node, value, self.x))
        leaf = value.new_zeros(self.route.source.units, *shown.shape[2:])
        self.leaf = leaf.requires_grad_(True)
        own = leaf[None]
        if attached is not None:
            dictionary = attached.dictionary
            own = dictionary.change(own, like=None if self.read is None else self.read[:1])
            if dictionary.normalize != "none" and dictionary.restores:
                self.notes.add(
                    Approximation(
                        self.route.source.id,
                        dictionary.normalize,
                        "the length that it gives back is that on the reference",
                        held=True,
                    )
                )
        own = own.expand(len(shown), *own.shape[1:]).to(value.dtype)
        linear = node.layout.given(own, value)
        if linear.shape != value.shape:
            linear = linear.reshape(value.shape)
        self.following.begin(value, linear)
        return put

    def arrive(self, value: Tensor) -> None:
        """The target is here, which ends the pass."""
        node = self.route.ends
        found = self.arrived = self.following.shadow(value)
        if found is None or found.linear is None:
            raise _Arrived
        grid = grid_of(node, value, self.x)
        shown = node.layout.shown(found.linear, grid)
        attached = self.model.attached(self.route.target.id)
        if attached is not None:
            self.arrived = Shadow(value, found.linear, found.all_passed)
            shown = self._encoded(attached, shown, node.layout.shown(value, grid))
        self.target = shown[0]
        raise _Arrived

    def _encoded(self, attached: Attached, shown: Tensor, value: Tensor) -> Tensor:
        """The latents before their activation, without their biases."""
        dictionary = attached.dictionary
        if dictionary.normalize != "none":
            _, factor = scale_back(value.float(), dictionary.normalize)
            if dictionary.normalize != "constant_norm":
                shown = shown - shown.mean(1, keepdim=True)
            shown = shown / factor
            self.notes.add(
                Approximation(
                    self.route.target.id,
                    dictionary.normalize,
                    "what it divides by is that on the reference",
                    held=True,
                )
            )
        encoder = dictionary.encoder
        if dictionary.gain is not None:
            encoder = encoder * dictionary.gain[:, None]
        return torch.einsum("lu,bu...->bl...", encoder, shown.float())


class _Places:
    """Which module a pass is in, by the id of its node where it has one."""

    def __init__(self, model: Model) -> None:
        self.module = model.module
        self._ids: dict[str, str] = {}
        for node in model.nodes.values():
            if not node.join and model.attached(node.id) is None:
                self._ids.setdefault(node.path.partition("#")[0], node.id)
        self._inside: list[str] = []
        self._last = ""

    def here(self) -> str:
        """The place that the pass is at."""
        path = self._inside[-1] if self._inside else ""
        if path:
            return self._ids.get(path, path)
        return f"the network behind {self._last}" if self._last else "the network"

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A context in which the modules tell when they are called."""
        with ExitStack() as stack:
            for path, part in self.module.named_modules():
                stack.callback(part.register_forward_pre_hook(self._enter(path)).remove)
                stack.callback(part.register_forward_hook(self._leave, always_call=True).remove)
            yield

    def _enter(self, path: str) -> Callable[..., None]:
        def enter(module: nn.Module, inputs: object) -> None:
            self._inside.append(path)

        return enter

    def _leave(self, module: nn.Module, inputs: object, output: object) -> None:
        if self._inside:
            path = self._inside.pop()
            self._last = self._ids.get(path, self._last)


def gradients(values: Tensor, source: Tensor, seeds: Tensor) -> Tensor:
    """Of the sums of `values` [n] weighted by each row of `seeds` [row, n]."""
    if len(seeds) == 1:
        with derivatives_needed():
            (found,) = torch.autograd.grad(values, source, seeds[0], retain_graph=True)
        return found[None]
    try:
        (found,) = torch.autograd.grad(
            values, source, seeds, retain_graph=True, is_grads_batched=True
        )
    except RuntimeError:  # an operation that does not go in batches
        return torch.cat([gradients(values, source, seed[None]) for seed in seeds])
    return found
