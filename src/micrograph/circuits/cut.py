"""One pass that is cut at chosen nodes: each begins anew there, as something to read from.

Behind the cut every value depends on the values at the cuts just before it and on nothing else
that is chosen: the gradient from a node to a later one is the direct effect, past no other chosen
node. In between everything is affine (see `models.running.frozen`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries.attached import Attached
from micrograph.models.dictionaries.normalizing import scale_back
from micrograph.models.model import Model
from micrograph.models.node import CallSite, Node
from micrograph.models.running.frozen import Frozen, OtherCalls
from micrograph.models.running.taps import Taps

PICTURE = "picture"


@dataclass
class CutPass:
    """What one pass gave. `leaves` [1, unit, ...] are what is read: the picture as the network
    takes it, the chosen nodes, and under `unexplained` what dictionaries leave out of the nodes
    that they write. `made` are the values of the chosen nodes and, last, of the target, as they
    depend on leaves: before its ReLU, or behind it where that is a chosen node's, too. `constants`
    are what they are when all leaves are zero (None where the network's own course depends on
    values)."""

    leaves: dict[str, Tensor] = field(default_factory=dict)
    unexplained: dict[str, Tensor] = field(default_factory=dict)
    made: dict[str, Tensor] = field(default_factory=dict)
    constants: dict[str, Tensor] | None = None


def cut_pass(model: Model, picture: Tensor, chosen: Sequence[str], target: str) -> CutPass:
    """The pass of `model` on `picture` [1, 3, y, x] up to `target`, cut at the nodes `chosen`.

    Raises BadInput where two of them write the same values.
    """
    taken = model.preprocessing.apply(picture.to(model.device)).detach()
    model.passes  # noqa: B018 - found before anything is cut
    with torch.inference_mode(False), torch.enable_grad():
        found, mode = CutPass(), Frozen()
        _run(model, taken, chosen, target, found, mode, None)
        again = CutPass()
        try:
            _run(model, taken, chosen, target, again, Frozen(mode.held), found)
        except OtherCalls:
            return found
    found.constants = {name: value.detach() for name, value in again.made.items()}
    return found


def _run(
    model: Model,
    taken: Tensor,
    chosen: Sequence[str],
    target: str,
    into: CutPass,
    mode: Frozen,
    emptied: CutPass | None,
) -> None:
    """Fill `into`. With `emptied`, an earlier pass, all that is read is zero, in its shapes."""
    source = taken if emptied is None else torch.zeros_like(taken)
    into.leaves[PICTURE] = source.clone().requires_grad_(True)
    with mode, _cuts(model, chosen, into, mode, emptied):
        made = model.run(
            into.leaves[PICTURE],
            [target],
            pre_relu=_may_be_before_relu(model, chosen, target),
            preprocess=False,
        )[target]
    into.made[target] = made


@contextmanager
def _cuts(
    model: Model,
    chosen: Sequence[str],
    into: CutPass,
    mode: Frozen,
    emptied: CutPass | None,
) -> Iterator[None]:
    reads, writes = _places(model, chosen)

    def leaf(name: str, value: Tensor, of: dict[str, Tensor]) -> Tensor:
        start = value.detach().clone() if emptied is None else torch.zeros_like(value)
        of[name] = start.requires_grad_(True)
        return of[name]

    def reach(place: CallSite, output: Tensor) -> Tensor | None:
        now: Tensor = output
        for name in reads.get(place, ()):
            if not _attached(model, name).transcodes:
                encode(name, now)
        for name in writes.get(place, ()):
            node, attached_or_none = model.node(name), model.attached(name)
            if attached_or_none is None:
                into.made[name] = shown = _shown(node, now)
                put = leaf(name, shown, into.leaves)
            else:
                node, attached = attached_or_none.writes, attached_or_none
                shown = _shown(node, now)
                told = _decoded(attached, into.leaves[name], read[name], mode)
                put = told + leaf(name, shown.detach() - told.detach(), into.unexplained)
            # A copy, because what comes next may write into it.
            now = node.layout.given(put, now).to(now.dtype).clone()
        for name in reads.get(place, ()):
            if _attached(model, name).transcodes:  # it reads what is chosen there
                encode(name, now)
        return None if now is output else now

    def encode(name: str, now: Tensor) -> None:
        attached = _attached(model, name)
        read[name] = _shown(attached.base, now)
        into.made[name] = _latents(attached, read[name], mode)
        leaf(name, into.made[name], into.leaves)

    read: dict[str, Tensor] = {}
    with Taps(model.module, [*reads, *writes], reach):
        yield


def _may_be_before_relu(model: Model, chosen: Sequence[str], target: str) -> bool:
    """Whether the target's ReLUs can be left out: none of them makes values of a chosen node, as
    those of a branch that the target concatenates."""
    own = set(model.node(target).relus)
    return not any(own.intersection(model.node(name).relus) for name in chosen)


def _places(
    model: Model, chosen: Sequence[str]
) -> tuple[dict[CallSite, list[str]], dict[CallSite, list[str]]]:
    """Where dictionaries among `chosen` read, and where each of them writes, or is cut itself."""
    reads: dict[CallSite, list[str]] = {}
    writes: dict[CallSite, list[str]] = {}
    by_node: dict[str, str] = {}
    for name in chosen:
        attached = model.attached(name)
        node = model.node(name) if attached is None else attached.writes
        if node.id in by_node:
            raise BadInput(
                f"{name} and {by_node[node.id]} stand for the same values, those of {node.id}; "
                "choose one of them"
            )
        by_node[node.id] = name
        writes.setdefault(node.place, []).append(name)
        if attached is not None:
            reads.setdefault(attached.base.place, []).append(name)
    return reads, writes


def _attached(model: Model, name: str) -> Attached:
    found = model.attached(name)
    assert found is not None
    return found


def _shown(node: Node, output: Tensor) -> Tensor:
    return node.layout.shown(output, node.shape)


def _latents(attached: Attached, values: Tensor, mode: Frozen) -> Tensor:
    """The latents of `values`: what goes into their activation, times a factor that is held."""
    before = attached.dictionary.values(values, before=True)
    with mode.paused():
        there = before.detach()
        latents = attached.dictionary.values(values.detach())
        factor = torch.where(there == 0, torch.zeros_like(there), latents / there)
        return before * mode.hold(factor)


def _decoded(attached: Attached, latents: Tensor, read: Tensor, mode: Frozen) -> Tensor:
    """What `latents` say of the values that they write: linear in them, the scale of one that
    normalizes is held, and so is its mean. A transcoder's skip stays a way past them."""
    dictionary = attached.dictionary
    with mode.paused():
        held = mode.hold(read)
        told = dictionary.change(latents, held) + dictionary.decode(torch.zeros_like(latents), held)
        if dictionary.skip is None:
            return told
        past = torch.einsum("wr,br...->bw...", dictionary.skip, (read - held).float())
        if dictionary.restores and dictionary.normalize != "none":
            past = past * scale_back(held, dictionary.normalize)[1]
        return told + past
