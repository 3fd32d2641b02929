"""Which weights make a unit, and which weights read it."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from micrograph.errors import Unavailable
from micrograph.graph import NodeKind
from micrograph.models.model import Model
from micrograph.models.node import Node

_MANY = 1 << 26
"""Weights of the latents of a dictionary: 256 MB."""

_Batchnorm = nn.modules.batchnorm._BatchNorm


@dataclass(frozen=True)
class WeightsPart:
    """Units `first`, `first + 1`, ... of a node, and the weights of each, float [unit, weight].

    Weights of one part lie in the same space and may be compared; those of two parts may not.
    """

    first: int
    weights: Tensor


def incoming(model: Model, name: str) -> list[WeightsPart]:
    """The weights by which the units of a node read their inputs, without biases.

    A concatenation has a part per branch. Batch norms are multiplied in, activations passed by.
    For a dictionary, the directions of its decoder in the node under it. Raises NotFound for an
    unknown node, and Unavailable, with the reason, for a node whose units no single convolution or
    linear layer makes.
    """
    node = model.node(name)
    if attached := model.attached(name):
        return [WeightsPart(0, attached.dictionary.decoder)]
    if len(node.parents) > 1:
        return [
            WeightsPart(first + part.first, part.weights)
            for parent, first in _parts_of_concatenation(model, node)
            for part in incoming(model, parent)  # which may be a concatenation itself
        ]
    return [WeightsPart(0, _weights_of(model, node))]


def outgoing(model: Model, name: str) -> Tensor:
    """The weights by which all readers downstream use each unit of a node, float [unit, weight], or
    as many numbers of the same angles and lengths where they are too many.

    Pools, norms and activations in between are passed by, concatenations are followed.
    Raises NotFound for an unknown node, and Unavailable, with the reason, where any reader is
    neither a convolution nor a linear layer.
    """
    node = model.node(name)
    if attached := model.attached(name):  # read through the node that it writes
        decoder, read = attached.dictionary.decoder, outgoing(model, attached.writes.id)
        if len(decoder) * read.shape[1] > _MANY and read.shape[1] > len(read):
            # In other axes, so that there are no more of them than units: angles and lengths stay.
            read = torch.linalg.qr(read.T, mode="r").R.T
        return decoder @ read
    found = list(_reading_weights(model, node, 0, node.units))
    if not found:
        raise Unavailable(f"{node.id}: nothing reads its units, it is the end of the network")
    return torch.cat(found, 1)


def _weights_of(model: Model, node: Node) -> Tensor:
    module = _module(model, node)
    if isinstance(module, nn.Conv2d | nn.Linear):
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            raise Unavailable(
                f"{node.id} is a convolution in {module.groups} groups, whose units read different "
                "inputs; there is nothing to compare"
            )
        return module.weight.detach().float().flatten(1)
    if len(node.parents) == 1:
        (before,) = (model.nodes[p] for p in node.parents)
        if before.units == node.units and before.shape == node.shape:
            if isinstance(module, _Batchnorm):
                return _weights_of(model, before) * _gain(module)[:, None]
            # A wrapper's own output, after an activation, or an activation itself.
            own = next(module.parameters(recurse=False), None)
            if own is None and (node.relus or NodeKind.of(node.kind).is_activation):
                return _weights_of(model, before)
    raise Unavailable(
        f"{node.id} ({node.kind}) is not the output of one convolution or linear layer; "
        "look at the nodes before it"
    )


def _reading_weights(model: Model, node: Node, first: int, units: int) -> Iterator[Tensor]:
    """Weights [units, any] of everything that reads units `first` ... of `node`."""
    mine = slice(first, first + units)
    for child in model.nodes.values():
        if node.id not in child.parents or model.attached(child.id):
            continue
        module = _module(model, child)
        if len(child.parents) > 1:
            places = [
                at for parent, at in _parts_of_concatenation(model, child) if parent == node.id
            ]
            yield from _reading_weights(model, child, places[0] + first, units)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            weights = module.weight.detach().float()
            if weights.shape[1] % node.units or getattr(module, "groups", 1) > 1:
                raise Unavailable(
                    f"{node.id}: {child.id} does not read it with one weight per unit and place"
                )
            by_unit = weights.reshape(len(weights), node.units, -1)[:, mine]
            yield by_unit.transpose(0, 1).flatten(1)
        elif isinstance(module, nn.Flatten) and child.units % node.units == 0:
            places_each = child.units // node.units  # flattened maps lie unit by unit
            for w in _reading_weights(model, child, first * places_each, units * places_each):
                yield w.reshape(units, -1)
        elif child.units == node.units and (NodeKind.of(child.kind).keeps_weights or child.relus):
            gain = _gain(module)[mine, None] if isinstance(module, _Batchnorm) else 1.0
            yield from (gain * w for w in _reading_weights(model, child, first, units))
        else:
            raise Unavailable(f"{node.id}: {child.id} ({child.kind}) uses it without weights")


def _parts_of_concatenation(model: Model, node: Node) -> list[tuple[str, int]]:
    """The parents of a concatenation, each with the number of its first unit there.

    The node is run to find their order. Raises Unavailable if it is not a concatenation.
    """
    size = model.preprocessing.size
    noise = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        values = model.run(noise.to(model.device), [node.id, *node.parents])
    whole = values[node.id]
    found = []
    first = 0
    left = dict.fromkeys(node.parents)
    while left:
        for parent in left:
            part = values[parent]
            if part.shape[2:] == whole.shape[2:] and torch.equal(
                whole[:, first : first + part.shape[1]], part
            ):
                break
        else:
            raise Unavailable(
                f"{node.id} ({node.kind}) mixes {', '.join(node.parents)}; "
                "its units have no weights of their own"
            )
        del left[parent]
        found.append((parent, first))
        first += part.shape[1]
    if first != node.units:
        raise Unavailable(f"{node.id} ({node.kind}) has more units than the nodes before it")
    return found


def _gain(norm: _Batchnorm) -> Tensor:
    """What a batch norm multiplies each unit by."""
    if norm.running_var is None:
        raise Unavailable("a batch norm without running statistics has no fixed weights")
    gain = (norm.running_var + norm.eps).rsqrt()
    return gain if norm.weight is None else gain * norm.weight.detach()


def _module(model: Model, node: Node) -> nn.Module:
    return model.module.get_submodule(node.path.partition("#")[0])
