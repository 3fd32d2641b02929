"""The numbers of an attribution graph: its nodes in one row, and what each of them is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.circuits.cut import PICTURE, CutPass
from micrograph.circuits.influence import Inputs
from micrograph.models.running.gradients import derivatives_needed

MOST_INPUTS = 4096
"""Edges into one node that are listed; the smaller ones only count."""
AT_ONCE = 2**25
"""Numbers that the gradients of one step may have at one node: 128 MB."""
TOGETHER = 16
"""Nodes whose gradients are taken in one step."""


@dataclass(frozen=True)
class LeafGroup:
    """Graph nodes with neighbouring numbers, from `first` on: the values of a `leaf`, where that
    is a "unit"s' node each unit, or with `by_position` each value; else all of it as one."""

    name: str
    kind: str
    first: int
    leaf: Tensor
    size: int
    by_position: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """(y, x) of a unit's map, or ()."""
        return tuple(self.leaf.shape[2:]) if self.kind == "unit" else ()

    @property
    def values(self) -> Tensor:
        """One for each graph node."""
        return self.summed(self.leaf.detach()[:1][None])[0]

    def summed(self, values: Tensor) -> Tensor:
        """[row, 1, unit, ...] to [row, graph node]."""
        if self.kind != "unit":
            return values.flatten(1).sum(1, keepdim=True)
        values = values.sum(1)
        if self.by_position or values.ndim == 2:
            return values.flatten(1)
        return values.flatten(2).sum(2)


@dataclass(frozen=True)
class MadeOf:
    """What one graph node is made of: `value` is the sum of all inputs, `constant` and `error`."""

    inputs: Inputs
    value: float
    constant: float

    @property
    def error(self) -> float:
        """What of the value is neither an input's nor constant."""
        return self.value - self.inputs.sum - self.constant

    @property
    def missed(self) -> float:
        """The error in parts of all that the node is made of."""
        there = self.inputs.total + abs(self.constant)
        return abs(self.error) / there if there > 0 else float(self.error != 0)


def groups_of(found: CutPass, chosen: Sequence[str], positions: bool) -> list[LeafGroup]:
    """All that can be an input, in the order of a pass: the picture is number 0."""
    return list(_groups(found, chosen, positions))


def _groups(found: CutPass, chosen: Sequence[str], positions: bool) -> Iterator[LeafGroup]:
    yield LeafGroup(PICTURE, PICTURE, 0, found.leaves[PICTURE], 1)
    first = 1
    for name in chosen:
        if name in found.unexplained:
            yield LeafGroup(name, "unexplained", first, found.unexplained[name], 1)
            first += 1
        leaf = found.leaves[name]
        by_position = positions and leaf.ndim == 4
        size = leaf[0].numel() if by_position else leaf.shape[1]
        yield LeafGroup(name, "unit", first, leaf, size, by_position)
        first += size


def made_of(
    groups: Sequence[LeafGroup], values: Tensor, rows: Sequence[int], constants: Tensor | None
) -> Iterator[MadeOf]:
    """What those of `values` (as they depend on the leaves) are made of whose places are `rows`.

    Without `constants` all that no input gives counts as an error.
    """
    largest = max(group.leaf.numel() for group in groups)
    step = max(1, min(TOGETHER, AT_ONCE // largest))
    for start in range(0, len(rows), step):
        some = list(rows[start : start + step])
        wanted = torch.zeros(len(some), len(values), device=values.device, dtype=values.dtype)
        wanted[list(range(len(some))), some] = 1.0
        gradients = _gradients(values, [group.leaf for group in groups], wanted)
        parts = [
            (group, group.summed(gradient * group.leaf.detach()).double().cpu().numpy())
            for group, gradient in zip(groups, gradients, strict=True)
            if gradient is not None
        ]
        for number, row in enumerate(some):
            yield MadeOf(
                _largest([(g.first + np.arange(g.size), part[number]) for g, part in parts]),
                float(values[row].detach()),
                0.0 if constants is None else float(constants[row]),
            )


def _gradients(values: Tensor, leaves: Sequence[Tensor], wanted: Tensor) -> Sequence[Tensor | None]:
    """[row, ...] for each leaf, None for those on which nothing depends."""
    if not values.requires_grad:
        return [None] * len(leaves)
    try:
        found: Sequence[Tensor | None] = torch.autograd.grad(
            values,
            list(leaves),
            grad_outputs=wanted,
            retain_graph=True,
            allow_unused=True,
            is_grads_batched=True,
        )
    except RuntimeError:  # an operation that does not go in batches
        with derivatives_needed():
            rows = [
                torch.autograd.grad(
                    values, list(leaves), grad_outputs=row, retain_graph=True, allow_unused=True
                )
                for row in wanted
            ]
        columns = zip(*rows, strict=True)
        found = [None if column[0] is None else torch.stack(column) for column in columns]
    return found


def _largest(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> Inputs:
    if not parts:
        return Inputs(np.empty(0, np.int64), np.empty(0), 0.0)
    sources = np.concatenate([numbers for numbers, _ in parts])
    weights = np.concatenate([some for _, some in parts])
    total, together, count = np.abs(weights).sum(), weights.sum(), np.count_nonzero(weights)
    if len(weights) > MOST_INPUTS:
        listed = np.sort(np.argpartition(-np.abs(weights), MOST_INPUTS)[:MOST_INPUTS])
        sources, weights = sources[listed], weights[listed]
    there = weights != 0
    return Inputs(sources[there], weights[there], float(total), float(together), int(count))
