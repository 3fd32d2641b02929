"""What all nodes did on a batch of pictures, from one forward pass."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

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
from micrograph.sweep.extremes import extremes
from micrograph.sweep.sampled import SampledTensor

POSITIONS = 16
"""Positions of a map, about, that count for histogram and moments; all do where it has fewer."""


@dataclass(frozen=True)
class Seen:
    """Of each picture and unit, over all units of all nodes in a row, on the CPU.

    `top` and `low` float32 [picture, unit] are the largest activation and the smallest value before
    the activation (where the node has one that is known), `top_at` and `low_at` int32 the first
    position where they are, row by row; of values that pass no bar (see `Look`) `low_at` may be 0,
    and without means `top_at`, too. `mean` is the activation's mean over the map, or None.
    `samples` float32 [picture, n] are values before the activation at some positions, of the
    tensors `Look.sampled` in a row.
    """

    top: np.ndarray
    top_at: np.ndarray
    low: np.ndarray
    low_at: np.ndarray
    mean: np.ndarray | None
    samples: np.ndarray


@dataclass(frozen=True)
class Bars:
    """Of all units in a row: no largest value up to `top` is kept any more, and no smallest one
    from `low` on."""

    top: np.ndarray
    low: np.ndarray


_Bar = tuple[np.ndarray | None, np.ndarray | None]
_Part = tuple[Tensor, ...]
"""As `Seen`, of one tensor of the network, with the samples [picture, position x unit] before the
mean, which may lack."""


class Look:
    """Runs `nodes` of a model. `before` tells for which nodes the values before a ReLU are known:
    those that are ReLUs side by side and nothing else, which is tested here."""

    def __init__(self, model: Model, nodes: Sequence[Node]) -> None:
        self.model = model
        self.nodes = tuple(nodes)
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

        def keep(call: int, x: Tensor) -> Tensor:
            inputs[call] = x
            return F.relu(x)

        with (
            torch.inference_mode(),
            _Inputs(set(waiting), keep),
        ):
            model.reduced(noise.to(model.device), [node.id for node in nodes], learn)
        self.sampled: list[SampledTensor] = []
        self._spans: dict[int | str, list[slice]] = {}
        first = 0
        for node in nodes:
            sources: Sequence[int | str] = node.relus if self.before[node.id] else [node.id]
            for source, (units, positions) in zip(sources, samples[node.id], strict=True):
                self.sampled.append(SampledTensor(first, units, positions))
                self._spans.setdefault(source, []).append(slice(first, first + units))
                first += units

    def __call__(self, images: Tensor, turn: int, means: bool, bars: Bars | None = None) -> Seen:
        """Look at `images` [picture, 3, y, x] in 0..1; `turn` moves the sampled positions on.

        With `bars` positions are found of those values only that pass them; with means, of all
        largest ones, too.
        """
        with_relus = [node for node in self.nodes if self.before[node.id]]
        others = {node.id for node in self.nodes if not self.before[node.id]}
        parts: dict[int, _Part] = {}
        dear = many_units(self.nodes)

        def see(call: int, x: Tensor) -> Tensor:
            y = torch.empty_like(x)
            parts[call] = _look(x, y, turn, means, self._bars(bars, call, means))
            if dear:
                give_back()
            return y

        def reach(name: str, values: Tensor) -> tuple[Tensor, ...]:
            if name not in others:
                return ()
            return _look(values, None, turn, means, self._bars(bars, name, means))

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

    def _bars(self, bars: Bars | None, source: int | str, means: bool) -> _Bar:
        """Those for the largest and the smallest values of a ReLU call or a node, which may be
        units of several nodes."""
        if bars is None:
            return None, None
        spans = self._spans[source]
        top = reduce(np.minimum, [bars.top[span] for span in spans])
        return None if means else top, reduce(np.maximum, [bars.low[span] for span in spans])


class _Inputs(ReLUCalls):
    """Makes the ReLU calls with the given numbers by `see(call, x)`, which gives their result."""

    def __init__(self, calls: Collection[int], see: Callable[[int, Tensor], Tensor]) -> None:
        super().__init__()
        self.calls = frozenset(calls)
        self.see = see

    def relu(self, x: Tensor, index: int) -> Tensor:
        return self.see(index, x) if index in self.calls else F.relu(x)


def _look(x: Tensor, relu: Tensor | None, turn: int, means: bool, bars: _Bar) -> _Part:
    """`x` is [picture, unit, y, x] or [picture, unit]; `relu`, where it goes into one, a tensor
    that gets its ReLU."""
    given = x
    x = _as_map(x.float())
    if relu is not None and x is not given:  # of another form or precision
        relu.copy_(F.relu(given))
    found = extremes(x, *bars, relu=relu if x is given else None)
    top, top_at = found.top, found.top_at
    if relu is not None:
        # Where nothing is above zero, all positions are alike, and the first one counts.
        top_at = torch.where(top > 0, top_at, 0)
        top = F.relu(top)
    mean = []
    if means:
        mean = [(x if relu is None else _as_map(relu.float())).mean((2, 3))]
    return (top, top_at, found.low, found.low_at, _samples(x, turn).flatten(1), *mean)


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
