"""Connections: the strongest weights between the units of a node and those of the next.

The inputs of a node are the units of the last node that all paths to it pass; its outputs those of
the nodes whose inputs it is. Kernels are those of `micrograph.weights`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import BadInput, Unavailable
from micrograph.graph import NodeKind, last_before, worth_seeing
from micrograph.lenses.connections.lens import LENS, ConnectionsParams, ConnectionsResult
from micrograph.lenses.engines.base import Job, Rendered, StepHook, SweepEngine
from micrograph.models.linear.weights import Weights, weights
from micrograph.models.model import Model

LARGEST = 225
"""Positions of a kernel that is stored, at most: a flattened map of 15 x 15."""


class ConnectionsEngine(SweepEngine[ConnectionsParams]):
    """The engine of connections."""

    lens = LENS

    def plan(self, model: Model, params: ConnectionsParams) -> list[Job]:
        """One job for each variant."""
        return [
            Job(self.recipe(model, variant, 0, variant=variant, strongest=params.strongest))
            for variant in dict.fromkeys(params.variants)
        ]

    def sweep(
        self,
        model: Model,
        targets: Mapping[str, Sequence[int]],
        job: Job,
        workspace: Path,
        on_step: StepHook | None = None,
    ) -> Iterator[Rendered]:
        """Per node the strongest connections of each unit. The score is the mean share of the
        strongest."""
        before = inputs_of_nodes(model)
        for step, name in enumerate(targets, 1):
            started = time.perf_counter()
            node = model.node(name).id
            try:
                found, other, turned = _weights(model, node, before, job.variant)
                result = connections(found, other, job.recipe["strongest"], turned=turned)
                largest = result.kept["share"].max(1)
                score = float(largest.mean())
            except (BadInput, Unavailable) as reason:
                result, score = ConnectionsResult(reason=str(reason), kept={}), 0.0
            yield Rendered(node, None, None, score, time.perf_counter() - started, result)
            if on_step is not None:
                on_step(step, len(targets))


def inputs_of_nodes(model: Model) -> dict[str, str]:
    """Of each node worth seeing the node that its units are built from, if there is one."""
    among = {n.id for n in worth_seeing(model.nodes)}
    found = {}
    for id in model.nodes:
        attached = model.attached(id)
        # A class token goes beside the map from block to block, and would count as another path.
        maps = {n.id: n for n in model.nodes.values() if n.kind != NodeKind.TOKEN or n.id == id}
        last = attached.base.id if attached else last_before(maps, id, among)
        if last is not None and id in among:
            found[id] = last
    return found


def _weights(
    model: Model, node: str, before: Mapping[str, str], variant: str
) -> tuple[Weights, str, bool]:
    """The weights of a node's inputs, or of its outputs; the other node; which of the two."""
    if variant == "inputs":
        if node not in before:
            raise Unavailable(f"no node lies before {node} that all of its units are built from")
        return weights(model, before[node], node), before[node], False
    readers = [reader for reader, last in before.items() if last == node]
    if not readers:
        raise Unavailable(f"no node behind {node} is built from its units alone")
    # Of several the one that shows most of what is made of it: a block, before its branches.
    reader = max(readers, key=lambda id: (model.nodes[id].units, model.nodes[id].index))
    return weights(model, node, reader), reader, True


def connections(found: Weights, other: str, k: int, *, turned: bool) -> ConnectionsResult:
    """The `k` strongest connections of each sign; `turned` for those of the sources."""
    kernels = found.kernels.transpose(0, 1) if turned else found.kernels
    strength = torch.cat([part.sum((2, 3)) for part in torch.split(kernels, 64)])
    size = torch.cat([part.abs().sum((2, 3)) for part in torch.split(kernels, 64)])
    total = size.sum(1, keepdim=True).clamp(min=1e-30)
    near, at = [], []
    for there in (strength > 0, strength < 0):
        order = size.where(there, torch.full_like(size, -1.0)).argsort(1, descending=True)
        listed = min(k, order.shape[1])
        order = _padded(order[:, :listed], k)
        chosen = there.gather(1, order)
        chosen[:, listed:] = False
        near.append(order.where(chosen, torch.full_like(order, -1)))
        at.append(order)
    units, order = torch.cat(near, 1), torch.cat(at, 1)
    there = units >= 0
    shares = (size / total).gather(1, order) * there
    kept: dict[str, np.ndarray] = {
        "units": units.numpy().astype(np.int32),
        "strength": (strength.gather(1, order) * there).numpy().astype(np.float32),
        "share": shares.numpy().astype(np.float32),
        "rest": (1 - shares.sum(1)).clamp(min=0).numpy().astype(np.float32),
    }
    if kernels.shape[2] * kernels.shape[3] <= LARGEST:
        rows = torch.arange(len(kernels))[:, None]
        kept["kernels"] = kernels[rows, order].numpy().astype(np.float16)
    return ConnectionsResult(
        other=other,
        count=size.shape[1],
        exact=found.exact,
        notes=tuple(str(note) for note in found.approximations),
        kept=kept,
    )


def _padded(order: Tensor, k: int) -> Tensor:
    """Rows of `k`, the last one repeated where there are fewer."""
    missing = k - order.shape[1]
    return torch.cat([order, order[:, -1:].expand(-1, missing)], 1) if missing > 0 else order


ENGINE = ConnectionsEngine()
