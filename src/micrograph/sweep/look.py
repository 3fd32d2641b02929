"""What all nodes did on a batch of pictures, from one forward pass."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.heap import give_back
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.models.running.reducing import many_units
from micrograph.models.running.relu import ReLUCalls

POSITIONS = 16
"""Positions of a map, about, that count for histogram and moments; all do where it has fewer."""


@dataclass(frozen=True)
class Seen:
    """Of each picture and unit, over all units of all nodes in a row, on the CPU.

    `top` and `low` float32 [picture, unit] are the largest activation and the smallest value before
    the activation (where the node has one that is known), `top_at` and `low_at` int32 the first
    position where they are, row by row. `mean` is the activation's mean over the map, or None.
    `samples` float32 [picture, n] are values before the activation at some positions, the n-th of
    the unit `Look.sample_units[n]`.
    """

    top: np.ndarray
    top_at: np.ndarray
    low: np.ndarray
    low_at: np.ndarray
    mean: np.ndarray | None
    samples: np.ndarray


_Part = tuple[Tensor, ...]
"""As `Seen`, of one tensor of the network, with the samples [picture, position x unit] before the
mean, which may lack."""


class Look:
    """Runs `nodes` of a model. `before` tells for which nodes the values before a ReLU are known:
    those that are ReLUs side by side and nothing else, which is tested here."""

    def __init__(self, model: Model, nodes: Sequence[Node]) -> None:
        self.model = model
        self.nodes = tuple(nodes)
        self._negative = _Negative()
        side = model.preprocessing.size
        noise = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
        inputs: dict[int, Tensor] = {}
        waiting = Counter(call for node in nodes for call in node.relus)
        # Where pictures go through one at a time, calls are counted once for each of them.
        together = not model.passes.alone
        self.before: dict[str, bool] = {}
        samples: dict[str, list[tuple[int, int]]] = {}

        def learn(name: str, values: Tensor) -> tuple[Tensor, ...]:
            node = model.node(name)
            if values.ndim not in (2, 4) or values.shape[1] != node.units:
                raise BadInput(
                    f"node {node.id} of {model.id} has values of shape {list(values.shape)}; "
                    "expected [batch, unit] or [batch, unit, y, x]"
                )
            self.before[name] = together and _is_relu_of(values, node, inputs)
            read = [inputs[c] for c in node.relus] if self.before[name] else [values]
            samples[name] = [(x.shape[1], _samples(_as_map(x), 0).shape[1]) for x in read]
            waiting.subtract(node.relus)
            for call in node.relus:
                if waiting[call] <= 0:
                    inputs.pop(call, None)
            return ()

        with (
            torch.inference_mode(),
            _Inputs(set(waiting), lambda call, x, y: inputs.__setitem__(call, x)),
        ):
            model.reduced(noise.to(model.device), [node.id for node in nodes], learn)
        self.sample_units = _sample_units([one for node in nodes for one in samples[node.id]])

    def __call__(self, images: Tensor, turn: int, means: bool) -> Seen:
        """Look at `images` [picture, 3, y, x] in 0..1; `turn` moves the sampled positions on."""
        with_relus = [node for node in self.nodes if self.before[node.id]]
        others = {node.id for node in self.nodes if not self.before[node.id]}
        parts: dict[int, _Part] = {}
        dear = many_units(self.nodes)

        def see(call: int, x: Tensor, y: Tensor) -> None:
            parts[call] = _look(x, y, turn, means, self._negative)
            if dear:
                give_back()

        def reach(name: str, values: Tensor) -> tuple[Tensor, ...]:
            return _look(values, None, turn, means, self._negative) if name in others else ()

        # The pass goes on to the last of them; the others among the ReLUs lie on its way.
        last = [node.id for node in sorted(with_relus, key=lambda node: node.index)[-1:]]
        with torch.inference_mode():
            with _Inputs({call for node in with_relus for call in node.relus}, see):
                reached = self.model.reduced(images, {*others, *last}, reach)
            found: list[_Part] = []
            for node in self.nodes:
                if self.before[node.id]:
                    found += [parts[call] for call in node.relus]
                else:
                    found.append(reached[node.id])
            top, top_at, low, low_at, samples, *mean = (
                _joined(column) for column in zip(*found, strict=True)
            )
            return Seen(
                top=top,
                top_at=top_at.astype(np.int32),
                low=low,
                low_at=low_at.astype(np.int32),
                mean=mean[0] if mean else None,
                samples=samples,
            )


def _sample_units(read: Sequence[tuple[int, int]]) -> np.ndarray:
    """The unit that each sampled value is of, in the row of all units, for tensors of so many units
    that are sampled at so many positions."""
    first = 0
    found = []
    for units, positions in read:
        found.append(np.tile(np.arange(first, first + units, dtype=np.int32), positions))
        first += units
    return np.concatenate(found)


class _Inputs(ReLUCalls):
    """Shows what goes into the ReLU calls with the given numbers, and what comes out."""

    def __init__(self, calls: Collection[int], see: Callable[[int, Tensor, Tensor], None]) -> None:
        super().__init__()
        self.calls = frozenset(calls)
        self.see = see

    def relu(self, x: Tensor, index: int) -> Tensor:
        y = F.relu(x)
        if index in self.calls:
            self.see(index, x, y)
        return y


class _Negative:
    """Gives -x in memory that is used again and again: fresh memory costs more than the sign."""

    def __init__(self) -> None:
        self.memory = torch.empty(0)

    def __call__(self, x: Tensor) -> Tensor:
        if not x.is_contiguous(memory_format=torch.channels_last):
            return -x
        if self.memory.numel() < x.numel() or self.memory.device != x.device:
            self.memory = x.new_empty(x.numel())
        batch, units, height, width = x.shape
        flat = self.memory[: x.numel()].view(batch, height, width, units)
        torch.neg(x.permute(0, 2, 3, 1), out=flat)
        return flat.permute(0, 3, 1, 2)


def _look(
    x: Tensor, activated: Tensor | None, turn: int, means: bool, negative: _Negative
) -> _Part:
    """`x` is [picture, unit, y, x] or [picture, unit]; `activated` its ReLU where it goes in one.

    Pooling over the whole map gives the largest value and its first position in one pass over the
    memory, several times sooner than `max`.
    """
    x = _as_map(x.float())
    whole = (x.shape[2], x.shape[3])
    top, top_at = F.max_pool2d(x, whole, return_indices=True)
    low, low_at = F.max_pool2d(negative(x), whole, return_indices=True)
    mean = []
    if means:
        mean = [(x if activated is None else _as_map(activated.float())).mean((2, 3))]
    if activated is not None:
        # Where nothing is above zero, all positions are alike, and the first one counts.
        top_at = torch.where(top > 0, top_at, 0)
        top = F.relu(top)
    found = (top, top_at, -low, low_at)
    return (*(v[..., 0, 0] for v in found), _samples(x, turn).flatten(1), *mean)


def _samples(x: Tensor, turn: int) -> Tensor:
    """Values at a grid of positions, [picture, position, unit]; `turn` shifts it, round the edge,
    so that over many turns every position counts alike."""
    chosen = _positions(x.shape[2], x.shape[3], turn, x.device)
    return x.permute(0, 2, 3, 1).flatten(1, 2).index_select(1, chosen)


@lru_cache(64)
def _positions(height: int, width: int, turn: int, device: torch.device) -> Tensor:
    step = max(1, round((height * width / POSITIONS) ** 0.5))
    mixed = (turn * 0x9E3779B1) % 2**32
    rows = (torch.arange(0, height, step) + (mixed >> 20)) % height
    columns = (torch.arange(0, width, step) + (mixed >> 8) % 4096) % width
    return (rows[:, None] * width + columns).flatten().to(device)


def _as_map(x: Tensor) -> Tensor:
    return x if x.ndim == 4 else x[:, :, None, None]


def _is_relu_of(values: Tensor, node: Node, inputs: dict[int, Tensor]) -> bool:
    found = [inputs.get(call) for call in node.relus]
    known = [x for x in found if x is not None]
    if not known or len(known) != len(found) or len({x.shape[2:] for x in known}) > 1:
        return False
    return torch.equal(F.relu(torch.cat(known, 1)), values)


def _joined(parts: Sequence[Tensor]) -> np.ndarray:
    array: np.ndarray = torch.cat(list(parts), 1).cpu().numpy()
    return array
