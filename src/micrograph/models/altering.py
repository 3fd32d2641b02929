"""Running a model with some units scaled or shifted on the way, many such changes in one pass."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.models.node import CallSite, Node
from micrograph.models.running.taps import Taps


@dataclass(frozen=True)
class Alteration:
    """A node's values become `factor * value + amount`: both [change, unit], at all positions."""

    factor: Tensor
    amount: Tensor

    def of(self, values: Tensor, change: int | None) -> Tensor:
        """`values` [batch, unit, ...] altered: each picture by its own change, or all by one."""
        factor, amount = self.factor, self.amount
        if change is not None:
            factor, amount = factor[change : change + 1], amount[change : change + 1]
        form = (*factor.shape, *[1] * (values.ndim - 2))
        return values * factor.view(form).to(values) + amount.view(form).to(values)


@contextmanager
def altered(model: Model, alterations: Mapping[str, Alteration]) -> Iterator[None]:
    """A context in which passes of `model` go on from these nodes with altered values.

    All alterations have as many changes, and `model.run` takes one picture, or one for each
    change. What an earlier node's change does to a later node comes before the later one's own.
    For a node of a dictionary the node that its latents write changes by what they change; what
    they do not explain stays. No hook is left behind.

    Raises BadInput where two of the nodes would write the same values, and, in the pass, where a
    node has not one value for each picture.
    """
    model.passes  # noqa: B018 - found before anything is altered
    by_place: dict[CallSite, tuple[Node, str]] = {}
    reads: dict[CallSite, list[str]] = {}
    for name in alterations:
        attached = model.attached(name)
        found = model.node(name) if attached is None else attached.writes
        if found.place in by_place:
            raise BadInput(
                f"{name} and {by_place[found.place][1]} write the same values; alter one of them"
            )
        by_place[found.place] = found, name
        if attached is not None and attached.transcodes:
            reads.setdefault(attached.base.place, []).append(name)
    read: dict[str, Tensor] = {}

    def reach(place: CallSite, output: Tensor) -> Tensor | None:
        made = _altered(place, output)
        for name in reads.get(place, ()):
            attached = model.attached(name)
            assert attached is not None
            now = output if made is None else made
            read[name] = attached.base.layout.shown(now, attached.base.shape)
        return made

    def _altered(place: CallSite, output: Tensor) -> Tensor | None:
        if place not in by_place:
            return None
        node, name = by_place[place]
        alteration, there = alterations[name], node.layout.shown(output, node.shape)
        pictures = node.layout.pictures(output)
        change = model.picture
        if change is None and pictures != len(alteration.factor):
            paired = model.passes.paired and len(alteration.factor) == 1
            if not paired:
                raise BadInput(
                    f"{node.id} has {pictures} values of each unit for {len(alteration.factor)} "
                    "pictures; expected one for each, so that each can be altered by itself"
                )
        attached = model.attached(name)
        if attached is None:
            put = alteration.of(there, change)
        else:
            before = read.pop(name, None)
            latents = attached.dictionary.values(there if before is None else before)
            put = attached.put(alteration.of(latents, change), there, before)
        # A copy, because what comes next may write into it.
        return node.layout.given(put, output).to(output.dtype).clone()

    changes = {len(one.factor) for one in alterations.values()}
    if len(changes) != 1:
        raise BadInput(f"alterations of {sorted(changes)} changes given; expected as many of each")
    with Taps(model.module, [*by_place, *reads], reach):
        model.points.append(changes.pop())
        try:
            yield
        finally:
            model.points.pop()
