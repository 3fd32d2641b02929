"""What are the passes of a network like? Found by a few of them, when it is looked at first."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from micrograph.models.node import Node
from micrograph.models.running.capture import capture
from micrograph.models.running.gradients import checkpoints_off
from micrograph.models.running.passes import Passes, mended
from micrograph.models.running.state import State, draws_of, kept

_ALIKE, _ALIKE_ON_GPU, _ALIKE_IN_HALF = 2e-4, 5e-3, 5e-2
"""How far values may be apart, as a share of their length, by rounding alone: GPUs multiply floats
of fewer digits."""
SAMPLES = 4096
"""Values of each node and picture that are compared, about: all of them would fill the memory."""
_NO = (RuntimeError, ValueError, TypeError, AssertionError, IndexError)
"""How networks say that they do not take what they were given."""


def probe(module: nn.Module, pictures: Tensor, nodes: Sequence[Node]) -> Passes:
    """What the passes of `module` in eval mode are like. It is left as it is.

    `pictures` are two that differ, preprocessed. Most networks need a pass of the first, with
    gradients, and one of both: three pictures' worth. Others need a few more to tell reasons apart.
    """
    return _Probe(module, pictures, nodes).passes()


@dataclass
class _Seen:
    """What one pass gave: of each node how many `pictures` it has, and of the first two of them
    some `values`. `failed` says that the network did not take it, `no_memory` that there was none
    for it."""

    pictures: dict[str, int] = field(default_factory=dict)
    values: dict[str, Tensor] = field(default_factory=dict)
    graded: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    drew: bool = False
    checkpoints: bool = False
    failed: bool = False
    no_memory: bool = False


class _Probe:
    def __init__(self, module: nn.Module, pictures: Tensor, nodes: Sequence[Node]) -> None:
        self.module, self.pictures, self.nodes = module, pictures, nodes

    def passes(self) -> Passes:
        hooked = any(map(_is_hooked, self.module.modules()))
        first = self._pass(1, Passes(), gradients=True, watched=True)
        unknown = first.no_memory  # whether gradients come through
        if first.failed:  # such as what is made in inference mode
            first = replace(self._pass(1, Passes(), watched=True), graded=set())
        if first.failed:
            return Passes(whole=hooked, paired=not first.no_memory and self._goes_in_pairs())
        both = self._pass(2, Passes())
        if any(n != 1 and both.pictures.get(id) == 2 for id, n in first.pictures.items()):
            return Passes(whole=hooked, paired=self._goes_in_pairs())
        found = Passes(
            draws=first.drew,
            keeps=tuple(sorted(first.changed)) if self._changes_always(first) else (),
            whole=hooked,
            checkpoints=first.checkpoints,
        )
        alone = (both.failed and not both.no_memory) or _other_pictures(first, both)
        odd = "" if alone else self._differing(first, both)
        if found.keeps and not found.draws:
            with kept(self.module, hooks=True):
                before = self._pass(1, Passes(), keeping=False)
                found = replace(
                    found,
                    carried=self._differing(before, self._pass(1, Passes(), keeping=False)),
                )
        if alone or odd:
            found = self._told_apart(found, first, odd, alone)
        return found if unknown else self._with_gradients(found, first, both)

    def _goes_in_pairs(self) -> bool:
        """Whether the first picture gives the same beside itself as beside the other."""
        both, pictures = self._pass(2, Passes()), self.pictures
        self.pictures = pictures[:1].repeat(2, 1, 1, 1)
        try:
            same = self._pass(2, Passes())
        finally:
            self.pictures = pictures
        if both.failed or same.failed or set(same.pictures.values()) - {2}:
            return False
        return all(_alike(v[0], both.values[id][0]) for id, v in same.values.items())

    def _changes_always(self, first: _Seen) -> bool:
        """Whether a pass changes what the network keeps each time, not only when it is made first,
        as a table is that is filled once; such a table stays."""
        if not first.changed:
            return False
        state = State(self.module, hooks=True)
        self._pass(1, Passes(), keeping=False)
        again = self._pass(1, Passes(), watched=True)
        if again.changed or set(state.changed_numbers()):
            state.restore()
            return True
        return False

    def _told_apart(self, found: Passes, first: _Seen, odd: str, alone: bool) -> Passes:
        """`found` with the reason why a picture gave something else beside another."""
        again = self._pass(1, Passes())
        differs = self._differing(first, again)
        if found.draws and (differs or odd):
            found = replace(found, random=differs or odd)
        elif not differs:
            found = replace(found, beside=odd)
        found = replace(found, alone=True)
        if differs or found.draws:
            once, twice = (self._pass(1, found) for _ in range(2))
            found = replace(found, unsteady=self._differing(once, twice))
        return found

    def _with_gradients(self, found: Passes, first: _Seen, both: _Seen) -> Passes:
        """`found` with what is known of gradients."""
        # What is the same for both pictures is no answer to them, and needs no gradient.
        answers = [
            node.id
            for node in self.nodes
            if node.id in first.values
            and not (len(v := both.values.get(node.id, torch.empty(0))) == 2 and _alike(*v))
        ]
        severed = [id for id in answers if id not in first.graded]
        if not severed:
            return found
        tried = replace(found, opened=severed[0])
        seen = self._pass(1, tried, gradients=True)
        written = [buffer for buffer in self.module.buffers() if buffer.requires_grad]
        for buffer in written:  # it is kept by the module, and must not keep what made it
            buffer.detach_()
        helps = not seen.failed and not written and seen.graded.intersection(severed)
        if helps and not self._differing(first, seen, among=seen.graded):
            opened = next(id for id in severed if id in seen.graded)
            left = tuple(id for id in severed if id not in seen.graded)
            return replace(found, opened=opened, severed=left)
        return replace(found, severed=tuple(severed))

    def _pass(
        self,
        pictures: int,
        passes: Passes,
        *,
        gradients: bool = False,
        watched: bool = False,
        keeping: bool = True,
    ) -> _Seen:
        """One pass of the first so many pictures; with `keeping` what it leaves behind is put
        back."""
        seen = _Seen()
        x = self.pictures[:pictures].detach()
        with ExitStack() as stack:
            state = State(self.module, hooks=True)
            if keeping:
                stack.callback(state.restore)
            stack.enter_context(torch.set_grad_enabled(gradients))
            if gradients:
                # In a module that may write into its input, this must not be a leaf.
                x = x.requires_grad_(True) * 1
            stack.enter_context(checkpoints_off(lambda: setattr(seen, "checkpoints", True)))
            stack.enter_context(mended(self.module, passes, x.device))
            drew = draws_of(x.device)
            watching = state if watched else None
            try:
                capture(self.module, x, self.nodes, whole=True, on_reached=_noting(seen, watching))
            except _NO as error:
                return replace(seen, failed=True, no_memory="memory" in str(error))
            seen.drew = drew()
            seen.changed.update(state.changed() if watched else ())
        return seen

    def _differing(self, a: _Seen, b: _Seen, among: set[str] | None = None) -> str:
        """The first node whose first picture has other values in `b` than in `a`; "" if none."""
        for node in self.nodes:
            if among is not None and node.id not in among:
                continue
            if node.id in a.values and node.id in b.values:
                one, other = a.values[node.id], b.values[node.id]
                if a.pictures[node.id] == 1 and not _alike(one[0], other[0]):
                    return node.id
        return ""


def _noting(seen: _Seen, state: State | None) -> Callable[[dict[str, Tensor]], None]:
    """Notes the values of every node when it is reached, and what has changed in the network by
    then: a pass may be stopped there."""

    def note(found: dict[str, Tensor]) -> None:
        for id in found.keys() - seen.values.keys():
            value = found[id]
            seen.pictures[id] = len(value)
            if value.requires_grad:
                seen.graded.add(id)
            flat = value.detach()[:2].flatten(1)
            seen.values[id] = found[id] = flat[:, :: flat.shape[1] // SAMPLES | 1].clone()
        if state is not None:
            seen.changed.update(state.changed(numbers=False))

    return note


def _other_pictures(one: _Seen, two: _Seen) -> bool:
    """Whether a node has as many pictures for two as for one."""
    return any(count == 1 and two.pictures.get(id, 2) != 2 for id, count in one.pictures.items())


def _alike(a: Tensor, b: Tensor) -> bool:
    if a.shape != b.shape:
        return False
    near = _ALIKE if a.device.type == "cpu" else _ALIKE_ON_GPU
    if a.dtype not in (torch.float32, torch.float64):
        near = _ALIKE_IN_HALF
    a, b = (v.float().nan_to_num(0.0, 1e30, -1e30) for v in (a, b))
    return bool((a - b).norm() <= near * torch.maximum(a.norm(), b.norm()))


def _is_hooked(part: nn.Module) -> bool:
    """Whether somebody hung a hook on it that is no part of torch (as old norms of weights are),
    and not ours."""
    hooks = (*part._forward_hooks.values(), *part._forward_pre_hooks.values())
    homes = [str(getattr(hook, "__module__", None) or type(hook).__module__) for hook in hooks]
    return any(not home.startswith(("torch.", "micrograph.")) for home in homes)
