"""Connections: the strongest weights between the units of a node and those of the next.

The inputs of a node are the units of the last node that all paths to it pass; its outputs those of
the nodes whose inputs it is. Kernels are those of `micrograph.weights`. Of a first layer the inputs
are the channels of the picture.
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
from micrograph.models.linear.groups import factored
from micrograph.models.linear.picture_weights import picture_weights
from micrograph.models.linear.weights import Weights, weights
from micrograph.models.model import Model

LARGEST = 225
"""Positions of a kernel that is stored, at most: a flattened map of 15 x 15."""
MOST_PAIRS = 1 << 22
"""Pairs of units whose strengths are stored: 16 MB."""
MOST_KERNELS = 8 << 20
"""Weights of kernels that are stored beside them: 16 MB."""
KERNELS = 6
"""How many times as many kernels of each sign as are listed, so that other orders find theirs: of
the strongest by weight x activation in BVLC GoogLeNet 95 in 100 are among them."""


class ConnectionsEngine(SweepEngine[ConnectionsParams]):
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
                result = _result(model, node, before, job)
            except (BadInput, Unavailable) as reason:
                result = ConnectionsResult(reason=str(reason), kept={})
            share = result.kept.get("share")
            score = 0.0 if share is None else float(share.max(1).mean())
            yield Rendered(node, None, None, score, time.perf_counter() - started, result)
            if on_step is not None:
                on_step(step, len(targets))


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


def pairs(found: Weights, kernels: int, groups: int) -> ConnectionsResult:
    """Strengths and sizes of all pairs, at most so many kernels of each unit and sign, and `groups`
    of units.

    Raises Unavailable where there are more than are stored.
    """
    strength, size = found.strength, found.size
    if size.numel() > MOST_PAIRS:
        raise Unavailable(
            f"{found.target} and {found.source} have {len(size)} x {size.shape[1]} pairs of units; "
            f"strengths of at most {MOST_PAIRS} are stored"
        )
    scale = float(size.max()) or 1.0
    parts, shares, explained = factored(found.kernels, groups)
    kept: dict[str, np.ndarray] = {
        "strength": (strength / scale).numpy().astype(np.float16),
        "size": (size / scale).numpy().astype(np.float16),
        **kept_kernels(found.kernels / scale, size, strength, kernels),
    }
    if parts:
        kept["group_targets"] = torch.stack([rows for rows, _ in parts]).numpy().astype(np.float32)
        kept["group_sources"] = torch.stack([some for _, some in parts]).numpy().astype(np.float32)
    return ConnectionsResult(
        other=found.source,
        count=size.shape[1],
        exact=found.exact,
        notes=tuple(str(note) for note in found.approximations),
        scale=scale,
        shares=tuple(shares),
        explained=explained,
        kept=kept,
    )


def kept_kernels(
    kernels: Tensor, size: Tensor, strength: Tensor, most: int
) -> dict[str, np.ndarray]:
    """The kernels of the `most` largest of each sign of each unit, all in one row, without the
    border in which all kernels of the unit are 0: most units of a block see less than the block."""
    rows, columns = kernels.shape[2:]
    if rows * columns > LARGEST:
        return {}
    boxes, near, starts, parts, first = [], [], [], [], 0
    for unit, own in enumerate(kernels):
        listed: list[int] = []
        for there in (strength[unit] > 0, strength[unit] <= 0):
            order = size[unit].masked_fill(~there, -1.0).argsort(descending=True, stable=True)
            listed += order[: min(most, int(there.sum()))].tolist()
        top, left, high, wide = _box(own)
        if first + len(listed) * high * wide > MOST_KERNELS:
            listed = []
        rows_of = torch.tensor(listed, dtype=torch.long)
        some = own[rows_of, top : top + high, left : left + wide].flatten()
        parts.append(some)
        boxes.append([top, left, high, wide])
        starts.append(first)
        first += len(some)
        near.append([*listed, *[-1] * (2 * most - len(listed))])
    return {
        "near": np.array(near, np.int16 if len(size[0]) < 1 << 15 else np.int32),
        "boxes": np.array(boxes, np.int16),
        "starts": np.array(starts, np.int32),
        "sides": np.array([rows, columns], np.int16),
        "kernels": torch.cat(parts).numpy().astype(np.float16),
    }


def _box(kernels: Tensor) -> tuple[int, int, int, int]:
    """The smallest rectangle of positions outside of which all kernels are 0."""
    seen = kernels.abs().amax(0) > 0
    if not seen.any():
        return 0, 0, 1, 1
    rows, columns = (seen.any(1 - axis).nonzero().flatten().tolist() for axis in (0, 1))
    return rows[0], columns[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]


def _padded(order: Tensor, k: int) -> Tensor:
    """Rows of `k`, the last one repeated where there are fewer."""
    missing = k - order.shape[1]
    return torch.cat([order, order[:, -1:].expand(-1, missing)], 1) if missing > 0 else order


ENGINE = ConnectionsEngine()
