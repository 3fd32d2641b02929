"""Connections: the strongest weights between the units of a node and those of the next.

The inputs of a node are the units of the last node that all paths to it pass; its outputs those of
the nodes whose inputs it is. Kernels are those of `micrograph.weights`. Of a first layer the inputs
are the channels of the picture.
"""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import Unavailable
from micrograph.graph import NodeKind, last_before, worth_seeing
from micrograph.lenses.connections.lens import LENS, ConnectionsParams, ConnectionsResult
from micrograph.lenses.connections.pairs import KERNELS, LARGEST, pairs
from micrograph.lenses.engines.base import Job
from micrograph.lenses.engines.node_by_node import NodeByNode
from micrograph.models.linear.picture_weights import picture_weights
from micrograph.models.linear.weights import Weights, weights
from micrograph.models.model import Model

_BEFORE: "WeakKeyDictionary[Model, tuple[tuple[str, ...], dict[str, str]]]" = WeakKeyDictionary()
"""Of each model its nodes, and what they are built from: every node asks for all."""


class ConnectionsEngine(NodeByNode[ConnectionsParams]):
    """The engine of connections."""

    lens = LENS

    def plan(self, model: Model, params: ConnectionsParams) -> list[Job]:
        """One job for each variant."""
        options: dict[str, dict[str, int]] = {
            "inputs": {"strongest": params.strongest},
            "outputs": {"strongest": params.strongest},
            "pairs": {"strongest": params.strongest, "groups": params.groups},
            "picture": {},
        }
        return [
            Job(self.recipe(model, variant, 0, variant=variant, **options[variant]))
            for variant in dict.fromkeys(params.variants)
        ]

    def of_node(self, model: Model, node: str, job: Job) -> tuple[ConnectionsResult, float]:
        """The strongest connections of each unit. The score is the mean share of the strongest."""
        result = _result(model, node, inputs_of_nodes(model), job)
        share = result.kept.get("share")
        return result, 0.0 if share is None else float(share.max(1).mean())

    def nothing_of(self, reason: str) -> ConnectionsResult:
        return ConnectionsResult(reason=reason, kept={})


def _result(model: Model, node: str, before: Mapping[str, str], job: Job) -> ConnectionsResult:
    """Raises BadInput and Unavailable with the reason why there is none."""
    if job.variant == "picture":
        if node in before:
            raise Unavailable(f"units of {before[node]} lie between the picture and {node}")
        of_picture = picture_weights(model, node)
        kept = {"weights": of_picture.kernels.numpy().astype(np.float32)}
        return ConnectionsResult(channels=of_picture.channels, kept=kept)
    found, other, turned = _weights(model, node, before, job.variant)
    if job.variant == "pairs":
        return pairs(found, KERNELS * job.recipe["strongest"], job.recipe["groups"])
    return connections(found, other, job.recipe["strongest"], turned=turned)


def inputs_of_nodes(model: Model) -> dict[str, str]:
    """Of each node worth seeing the node that its units are built from, if there is one."""
    names, found = _BEFORE.get(model, ((), {}))
    if names != tuple(model.nodes):  # other dictionaries may be attached now
        found = _found_inputs(model)
        _BEFORE[model] = tuple(model.nodes), found
    return found


def _found_inputs(model: Model) -> dict[str, str]:
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
    if variant != "outputs":
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
