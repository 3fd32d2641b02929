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
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from micrograph.errors import BadInput

Activations = Mapping[str, Tensor]
"""Node name, as the objective spells it, to its values [batch, unit, y, x] or [batch, unit]."""

_EPSILON = 1e-4
"""Keeps the cosine with a vector of zeros finite (lucid's)."""


@dataclass(frozen=True)
class Objective:
    """What pictures are to maximise: one number for each, in the unit of the activations.

    nodes: the nodes it reads.
    value: a function of their activations and of the pictures [batch, 3, y, x] in 0..1 as they are
        seen, that gives [batch].
    samples: the number of pictures it is for, None when it serves any number.
    pre_relu: whether it reads the values before each node's activation; behind a ReLU a falling
        unit has no gradient once it is off.
    label: what messages call it.
    driven: those of its nodes whose units it drives, None for all; it only looks at the others.

    Objectives add and subtract, with each other and with numbers, and numbers scale them. Raises
    BadInput where one reads before the activation and the other after, or they are for different
    numbers of pictures.

    >>> from micrograph import optimize as opt
    >>> both = opt.channel("mixed4a", 3) - 0.5 * opt.neuron("conv1", 7)
    >>> both.nodes
    ('mixed4a', 'conv1')
    >>> opt.channel("mixed4a", [1, 2]) + opt.channel("mixed4a", [1, 2, 3])
    Traceback (most recent call last):
    micrograph.errors.BadInput: cannot add 'channel(mixed4a, [1, 2])' for 2 pictures and \
'channel(mixed4a, [1, 2, 3])' for 3; give both the same number of units
    """

    nodes: tuple[str, ...]
    value: Callable[[Activations, Tensor], Tensor]
    samples: int | None = None
    pre_relu: bool = False
    label: str = "objective"
    driven: tuple[str, ...] | None = None

    def __add__(self, other: "Objective | float") -> "Objective":
        if not isinstance(other, Objective):
            return self._transformed(lambda v: v + other, f"{self.label} + {other}")
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
            driven=tuple(dict.fromkeys(self.drives + other.drives)),
        )

    __radd__ = __add__

    def __mul__(self, weight: float) -> "Objective":
        return self._transformed(lambda v: v * weight, f"{weight} * {self.label}")

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return self * -1.0

    def __sub__(self, other: "Objective | float") -> "Objective":
        return self + -other

    def __rsub__(self, other: float) -> "Objective":
        return -self + other

    @property
    def drives(self) -> tuple[str, ...]:
        """The nodes whose units it drives."""
        return self.nodes if self.driven is None else self.driven

    def _transformed(self, change: Callable[[Tensor], Tensor], label: str) -> "Objective":
        return replace(self, value=lambda a, x: change(self.value(a, x)), label=label)


def objective(*nodes: str, pre_relu: bool = False) -> Callable[[Callable[..., Tensor]], Objective]:
    """A decorator that makes an objective of a function of the activations of `nodes`.

    The function has one argument for each node, float32 [batch, unit, y, x] or [batch, unit], and
    returns [batch]. With `pre_relu` it gets the values before each node's activation.

    >>> from micrograph import load, optimize as opt
    >>> @opt.objective("mixed4a")
    ... def spread(activations):
    ...     return activations.std(dim=(1, 2, 3))
    >>> opt.optimize(load("toytown"), spread, opt.Settings(size=48, steps=4)).as_uint8().shape
    (1, 48, 48, 3)
    """

    def wrap(function: Callable[..., Tensor]) -> Objective:
        return Objective(
            nodes, lambda a, x: function(*(a[n] for n in nodes)), None, pre_relu, function.__name__
        )

    return wrap


def channel(node: str, units: int | Sequence[int], *, pre_relu: bool = False) -> Objective:
    """Mean of a unit over all positions, in the unit of its activation.

    With several units, picture b is for unit `units[b]`; with one number all pictures are for that.
    `pre_relu` takes the values before the node's activation, for pictures that are to drive it
    down. The node may have a map or not. A unit that the node does not have raises BadInput when
    the objective is computed.

    >>> from micrograph import load, optimize as opt
    >>> model, settings = load("toytown"), opt.Settings(size=48, steps=4)
    >>> up = opt.optimize(model, opt.channel("mixed4a", 3), settings)
    >>> down = opt.optimize(model, -opt.channel("mixed4a", 3, pre_relu=True), settings)
    >>> opt.channel("mixed4a", [3, 5, 8]).samples
    3
    """
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
    """A unit at one position of its map, in the unit of its activation.

    `at` is (row, column) in the node's map, by default its centre (for even sizes the lower right
    of the central four). `units` and `pre_relu` as for `channel`. A position outside the map raises
    BadInput when the objective is computed, and so does a unit that the node does not have.

    >>> import torch
    >>> from micrograph import load, optimize as opt
    >>> grey = torch.full((1, 3, 96, 96), 0.5)
    >>> opt.evaluate(load("toytown"), opt.neuron("mixed4a", 3, at=(12, 0)), grey)
    Traceback (most recent call last):
    micrograph.errors.BadInput: position 12-0 is outside the map of mixed4a; expected at most 11-11
    """
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


def direction(
    node: str,
    vectors: Tensor,
    *,
    cosine_power: float = 0.0,
    everywhere: bool = True,
    normalize: bool = False,
) -> Objective:
    """dot * max(0.1, cos)^p of the node's values with directions that are no unit (lucid's).

    The product drives the answer up, the cosine keeps it pointing where it should.

    vectors: [unit], one for all pictures, or [picture, unit].
    cosine_power: p, 0 or more; with 0 it is the product alone.
    everywhere: the mean over all positions of the map, or else its centre, as for `neuron`.
    normalize: take vectors by their direction alone, at length 1; zero vectors stay zero.

    Vectors of another length than the node has units raise BadInput when it is computed.

    >>> import torch
    >>> from micrograph import load, optimize as opt
    >>> model = load("toytown")
    >>> both = torch.zeros(model.node("mixed4a").units)
    >>> both[[3, 5]] = 1
    >>> target = opt.direction("mixed4a", both, cosine_power=1)
    >>> opt.optimize(model, target, opt.Settings(size=48, steps=4)).as_uint8().shape
    (1, 48, 48, 3)
    """
    rows = vectors if vectors.ndim == 2 else vectors[None]
    lengths = rows.norm(dim=1, keepdim=True)
    if normalize:
        rows = (rows / lengths.clamp(min=1e-12)).contiguous()

    def value(activations: Activations, images: Tensor) -> Tensor:
        a = activations[node]
        if a.shape[1] != rows.shape[1]:
            raise BadInput(
                f"a direction of {rows.shape[1]} numbers does not fit {node}, which has "
                f"{a.shape[1]} units; give one number for each unit"
            )
        height, width = a.shape[2:] or (1, 1)
        a = a.flatten(2) if a.ndim > 2 else a[..., None]
        if not everywhere:
            at = height // 2 * width + width // 2
            a = a[..., at : at + 1]
        dot = torch.einsum("bup,bu->bp", a, rows.to(a).expand(len(a), -1))
        if cosine_power:
            cosine = dot / (_EPSILON + a.norm(dim=1))
            if not normalize:
                cosine = cosine / (_EPSILON + lengths.to(a))
            dot = times_cosine(dot, cosine, cosine_power)
        return dot.mean(1)

    samples = len(vectors) if vectors.ndim == 2 else None
    return Objective((node,), value, samples, label=f"direction({node})")


def energy(node: str) -> Objective:
    """Mean square of all units at all positions, in squares of the activation's unit: DeepDream's
    objective (lucid).

    >>> from micrograph import load, optimize as opt
    >>> made = opt.optimize(load("toytown"), opt.energy("conv1"), opt.Settings(size=48, steps=4))
    >>> bool(made.scores > 0)
    True
    """
    return Objective(
        (node,), lambda a, x: a[node].flatten(1).square().mean(1), label=f"energy({node})"
    )


def total_variation() -> Objective:
    """Mean absolute difference of neighbouring pixels, summed over the two axes and three colours;
    from 0 for a plain picture to 6: a penalty to subtract. It reads no node.

    >>> import torch
    >>> from micrograph import load, optimize as opt
    >>> smooth = opt.channel("mixed4a", 3) - 2 * opt.total_variation()
    >>> opt.optimize(load("toytown"), smooth, opt.Settings(size=48, steps=4)).as_uint8().shape
    (1, 48, 48, 3)
    >>> opt.evaluate(load("toytown"), opt.total_variation(), torch.zeros(1, 3, 96, 96)).tolist()
    [0.0]
    """

    def value(activations: Activations, images: Tensor) -> Tensor:
        dy = (images[:, :, 1:] - images[:, :, :-1]).abs().mean((2, 3))
        dx = (images[..., 1:] - images[..., :-1]).abs().mean((2, 3))
        return (dy + dx).sum(1)

    return Objective((), value, label="total_variation")


def times_cosine(dot: Tensor, cosine: Tensor, power: float) -> Tensor:
    """dot * max(0.1, cosine)^power (lucid): where the cosine is small the product still counts a
    little, so that there is a gradient."""
    return dot * cosine.clamp(min=0.1) ** power


def relative_penalty(driven: Tensor, weight: float, measure: Tensor) -> Tensor:
    """`weight` times `measure` as a share of the present size of `driven`, which gets no gradient
    of it: so a weight means the same whatever the activations of a network are like."""
    return weight * driven.detach().abs() * measure


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
