"""Objectives: what a picture is optimized for. All are maximised.

An objective gives one number per sample of the batch, so that samples stay independent. Objectives
add, subtract and scale:

    objective = channel("4c", 447) - 0.5 * neuron("4c", 3)

and an own one is one function:

    @objective("4c")
    def spread(activations):              # [batch, unit, y, x]
        return activations.std(dim=(1, 2, 3))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from micrograph.errors import BadInput

Activations = Mapping[str, Tensor]
"""Node name, as the objective spells it, to its values [batch, unit, y, x] or [batch, unit]."""


@dataclass(frozen=True)
class Objective:
    """`value(activations, images)` gives [batch], in the unit of the activations.

    `nodes` are the nodes it reads. `samples` is the number of pictures it is for, or None when it
    serves any number. `pre_relu` asks for the values before each node's activation: behind a ReLU
    a falling unit has no gradient once it is off.
    """

    nodes: tuple[str, ...]
    value: Callable[[Activations, Tensor], Tensor]
    samples: int | None = None
    pre_relu: bool = False
    label: str = "objective"

    def __add__(self, other: "Objective | float") -> "Objective":
        if not isinstance(other, Objective):
            return self._map(lambda v: v + other, f"{self.label} + {other}")
        if self.pre_relu != other.pre_relu:
            raise BadInput(
                f"cannot add {self.label!r} and {other.label!r}: one reads its nodes before the "
                "activation and one after; give both the same pre_relu"
            )
        samples = {s for s in (self.samples, other.samples) if s is not None}
        if len(samples) > 1:
            raise BadInput(
                f"cannot add {self.label!r} for {self.samples} pictures and {other.label!r} for "
                f"{other.samples}; give both the same number of units"
            )
        return Objective(
            nodes=tuple(dict.fromkeys(self.nodes + other.nodes)),
            value=lambda a, x: self.value(a, x) + other.value(a, x),
            samples=samples.pop() if samples else None,
            pre_relu=self.pre_relu,
            label=f"{self.label} + {other.label}",
        )

    __radd__ = __add__

    def __mul__(self, weight: float) -> "Objective":
        return self._map(lambda v: v * weight, f"{weight} * {self.label}")

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return self * -1.0

    def __sub__(self, other: "Objective | float") -> "Objective":
        return self + -other

    def __rsub__(self, other: float) -> "Objective":
        return -self + other

    def _map(self, change: Callable[[Tensor], Tensor], label: str) -> "Objective":
        return Objective(
            self.nodes, lambda a, x: change(self.value(a, x)), self.samples, self.pre_relu, label
        )


def objective(*nodes: str, pre_relu: bool = False) -> Callable[[Callable[..., Tensor]], Objective]:
    """Make an objective of a function of the activations of `nodes`, one argument for each.

    The function gets [batch, unit, y, x] tensors and returns [batch].
    """

    def wrap(function: Callable[..., Tensor]) -> Objective:
        return Objective(
            nodes, lambda a, x: function(*(a[n] for n in nodes)), None, pre_relu, function.__name__
        )

    return wrap


def channel(node: str, units: int | Sequence[int], *, pre_relu: bool = False) -> Objective:
    """Mean of a unit over all positions. With several units, picture b is for unit `units[b]`."""
    chosen, label = _units(units), f"channel({node}, {units})"

    def value(activations: Activations, images: Tensor) -> Tensor:
        maps = _pick(activations[node], chosen)
        return maps if maps.ndim == 1 else maps.flatten(1).mean(1)

    return Objective((node,), value, _count(units), pre_relu, label)


def neuron(
    node: str,
    units: int | Sequence[int],
    *,
    at: tuple[int, int] | None = None,
    pre_relu: bool = False,
) -> Objective:
    """A unit at the position `at` (y, x) of its map, by default at the centre (for even sizes the
    lower right of the central four)."""
    chosen, label = _units(units), f"neuron({node}, {units})"

    def value(activations: Activations, images: Tensor) -> Tensor:
        maps = _pick(activations[node], chosen)
        rows, columns = maps.shape[1:] if maps.ndim == 3 else (1, 1)
        y, x = at or (rows // 2, columns // 2)
        if not (0 <= y < rows and 0 <= x < columns):
            raise BadInput(
                f"position {y}-{x} is outside the map of {node}; expected at most "
                f"{rows - 1}-{columns - 1}"
            )
        return maps if maps.ndim == 1 else maps[:, y, x]

    return Objective((node,), value, _count(units), pre_relu, label)


def direction(node: str, vector: Tensor, *, cosine_power: float = 0.0) -> Objective:
    """Mean over positions of dot * max(0.1, cos)^p with a direction [unit] of the node (lucid)."""

    def value(activations: Activations, images: Tensor) -> Tensor:
        a = (
            activations[node].flatten(2)
            if activations[node].ndim > 2
            else (activations[node][..., None])
        )
        v = vector.to(a).view(1, -1, 1)
        dot = (a * v).sum(1)
        if cosine_power:
            cos = dot / ((1e-4 + a.norm(dim=1)) * (1e-4 + v.norm()))
            dot = dot * cos.clamp(min=0.1) ** cosine_power
        return dot.mean(1)

    return Objective((node,), value, label=f"direction({node})")


def energy(node: str) -> Objective:
    """Mean square of all units at all positions: DeepDream's objective (lucid)."""
    return Objective(
        (node,), lambda a, x: a[node].flatten(1).square().mean(1), label=f"energy({node})"
    )


def total_variation() -> Objective:
    """Mean absolute difference of neighbouring pixels, summed over axes and colours: a penalty to
    subtract."""

    def value(activations: Activations, images: Tensor) -> Tensor:
        dy = (images[:, :, 1:] - images[:, :, :-1]).abs().mean((2, 3))
        dx = (images[..., 1:] - images[..., :-1]).abs().mean((2, 3))
        return (dy + dx).sum(1)

    return Objective((), value, label="total_variation")


def _count(units: int | Sequence[int]) -> int | None:
    return None if isinstance(units, int) else len(units)


def _units(units: int | Sequence[int]) -> list[int]:
    return [units] if isinstance(units, int) else list(units)


def _pick(activations: Tensor, units: list[int]) -> Tensor:
    """[batch, unit, ...] to [batch, ...]: sample b's own unit."""
    batch = len(activations)
    if max(units) >= activations.shape[1] or min(units) < 0:
        raise BadInput(
            f"unit {max(units, key=abs)} out of range; this node has units "
            f"0-{activations.shape[1] - 1}"
        )
    index = torch.tensor(units if len(units) == batch else units * batch, device=activations.device)
    return activations[torch.arange(batch, device=activations.device), index]
