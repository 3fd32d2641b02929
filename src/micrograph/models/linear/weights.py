"""Weights between the units of two nodes: what a unit is built from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from micrograph.address import check_unit
from micrograph.errors import BadInput, short
from micrograph.models.linear.approximation import Approximation
from micrograph.models.linear.heads import Heads
from micrograph.models.linear.way import WayBetween
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.models.pictures import read_picture

if TYPE_CHECKING:
    from micrograph.models.linear.groups import WeightGroups
    from micrograph.models.linear.strongest import Strongest

BUDGET = 2 << 30
"""Bytes that kernels, and what they are worked out with, may take where nobody says otherwise."""


@dataclass(frozen=True, eq=False)
class Weights:
    """The linear map from the units of `source` to those of `target`, without biases.

    `kernels[t, s, y, x]` is by how much unit `units[t]` of the target, before its activation,
    changes with unit `sources[s]` of the source at one of the positions that it sees: position
    (y, x) of the target sees the positions `y * stride + offset` and on (see `start`). A flat node
    has one position.

    With a `position` the kernels are those of this position of the target; others have others:
    because something is held at a reference picture, because each position mixes the whole map, or
    behind an upsampling, whose phases differ. `cut` says that the kernel reaches the border of the
    map, beyond which it may go on.

    `exact` says that the path is linear; else `approximations` are what was replaced or held, and
    in which node. `reference` says whether a picture was given, `heads` to which heads attention
    was restricted, None for all.
    """

    model: str
    source: str
    target: str
    units: tuple[int, ...]
    sources: tuple[int, ...]
    kernels: Tensor
    stride: tuple[float, float]
    offset: tuple[int, int]
    position: tuple[int, int] | None
    cut: bool
    approximations: tuple[Approximation, ...]
    reference: bool = False
    heads: tuple[int, ...] | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing was replaced or held on the way."""
        return not self.approximations

    def start(self, y: int, x: int) -> tuple[int, int]:
        """The position of the source under the first weight of each kernel, for a position of the
        target; it may lie beyond the border. Raises BadInput where kernels are those of another."""
        if self.position is None:
            (down, right), (top, left) = self.stride, self.offset
            return int(y * down) + top, int(x * right) + left
        if (y, x) != self.position:
            raise BadInput(
                f"position {(y, x)} given; these kernels are those of {self.position}, and other "
                "positions have others: ask for them with position="
            )
        return self.offset

    def strongest(
        self,
        unit: int,
        n: int = 50,
        *,
        by: str = "weight",
        typical: "Sequence[float] | Mapping[int, float] | Tensor | None" = None,
    ) -> "Strongest":
        """The strongest inputs of a unit, and the share of the rest (see `strongest.strongest`)."""
        from micrograph.models.linear.strongest import strongest

        return strongest(self, unit, n, by=by, typical=typical)

    def groups(self, count: int = 6) -> "WeightGroups":
        """Units of the target that are built from the same sources (see `groups.weight_groups`)."""
        from micrograph.models.linear.groups import weight_groups

        return weight_groups(self, count)

    @property
    def strength(self) -> Tensor:
        """[target, source]: the sum over each kernel: what a source adds that is alike all over."""
        return self.kernels.sum((2, 3))

    @property
    def size(self) -> Tensor:
        """[target, source]: the sum of the absolute weights of each kernel."""
        return self.kernels.abs().sum((2, 3))


def weights(
    model: Model,
    source: str,
    target: str,
    *,
    units: int | Sequence[int] | None = None,
    sources: int | Sequence[int] | None = None,
    reference: Tensor | str | Path | None = None,
    position: tuple[int, int] | None = None,
    heads: int | Sequence[int] | None = None,
    budget: int = BUDGET,
) -> Weights:
    """The weights by which the units of `target` are built from those of `source`.

    Any two nodes that a path joins: the part of the network between them is made linear and its
    Jacobian taken. Activations become the identity and max pools average pools. What divides,
    gates or mixes by what it sees (norms without running statistics, gates, attention) is held as
    it is on the reference. Batch norms in eval mode are linear as they are. What is neither linear
    nor known is refused by name.

    Parameters:
        source, target: ids or aliases of nodes; also those that a dictionary makes.
        units: units of the target, all if not given.
        sources: units of the source, all if not given.
        reference: a picture, RGB [3, y, x] in 0..1 or a file, on which is held what must be held.
        position: (y, x) of the target whose kernels are meant, where they differ (the middle if
            not given).
        heads: which heads of attention pass on what they see, numbers from 0; all if not given.
            With a reference through its pattern; without one each position attends to itself alone,
            and what is left is the map of the head's values and output, the same at all positions.
        budget: bytes that kernels, and what they are worked out with, may take.

    Raises NotFound for unknown nodes and units; BadInput where no path leads from source to target,
    something must be held and no reference was given, or the kernels are larger than the budget.

    >>> from micrograph import load
    >>> found = weights(load("toytown"), "mixed4a", "mixed4b")
    >>> list(found.kernels.shape), found.stride, found.offset, found.exact
    ([180, 152, 5, 5], (1, 1), (-2, -2), False)
    """
    a, b = model.node(source), model.node(target)
    chosen, read = _units(model, b, units), _units(model, a, sources)
    if isinstance(budget, bool) or not isinstance(budget, int) or budget <= 0:
        raise BadInput(f"budget {short(budget)} given; expected a number of bytes above 0")
    if a.id == b.id:
        raise BadInput(f"{a.id} was given as source and as target; expected two nodes")
    picture = None if reference is None else _picture(model, reference)
    passing = _heads(heads, picture is not None)
    way = WayBetween(model, a, b, picture, _position(b, position), passing)
    known = way.known()
    size = len(chosen) * len(read) * known.geometry.size[0] * known.geometry.size[1] * 4
    if size > budget:
        raise BadInput(
            f"the kernels from {a.id} to {b.id} are {len(chosen)} x {len(read)} x "
            f"{known.geometry.size[0]} x {known.geometry.size[1]} weights, {size:,} bytes, and the "
            f"budget is {budget:,}; ask for fewer units or sources, or give a larger budget"
        )
    kernels = way.kernels(known, chosen, read, budget - size)
    own = known.geometry
    return Weights(
        model.id,
        a.id,
        b.id,
        tuple(chosen),
        tuple(read),
        kernels,
        own.stride,
        own.offset,
        own.position,
        own.cut,
        tuple(sorted(known.approximations)),
        reference is not None,
        None if passing is None else passing.numbers,
    )


def _heads(given: int | Sequence[int] | None, held: bool) -> Heads | None:
    if given is None:
        return None
    numbers = [given] if isinstance(given, int) else list(given)
    if not numbers or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in numbers):
        raise BadInput(f"heads {short(given)} given; expected numbers of heads from 0 on")
    return Heads(tuple(dict.fromkeys(numbers)), held)


def _units(model: Model, node: Node, given: int | Sequence[int] | None) -> list[int]:
    """The numbers of units. Raises NotFound for one that does not exist."""
    if given is None:
        return list(range(node.units))
    numbers = [given] if isinstance(given, int) else list(given)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int):
            raise BadInput(f"unit {short(number)} given; expected a number from 0 on")
        check_unit(number, f"{model.id}/{node.id}", node.units)
    if not numbers:
        raise BadInput(f"no unit of {node.id} given; expected at least one")
    return numbers


def _position(node: Node, given: object) -> tuple[int, int] | None:
    if given is None:
        return None
    shape = node.shape
    if not shape:
        raise BadInput(f"position {short(given)} given; {node.id} is flat and has no positions")
    if (
        not isinstance(given, tuple | list)
        or len(given) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in given)
        or not all(0 <= v < n for v, n in zip(given, shape, strict=True))
    ):
        raise BadInput(
            f"position {short(given)} given; expected (y, x) within the {shape[0]} x {shape[1]} "
            f"positions of {node.id}"
        )
    return int(given[0]), int(given[1])


def _picture(model: Model, given: Tensor | str | Path) -> Tensor:
    """The reference, as the network takes it."""
    if isinstance(given, str | Path):
        given = read_picture(Path(given), model.preprocessing)
    if not isinstance(given, Tensor):
        raise BadInput(
            f"reference of type {type(given).__name__} given; expected a picture, RGB [3, y, x] in "
            "0..1, or a file"
        )
    picture = given[None] if given.ndim == 3 else given
    if picture.ndim != 4 or picture.shape[:2] != (1, 3) or not picture.is_floating_point():
        raise BadInput(
            f"reference of shape {list(given.shape)} in {given.dtype} given; expected one picture, "
            "floating-point RGB [3, y, x] in 0..1"
        )
    return model.preprocessing.apply(picture.to(model.device))
