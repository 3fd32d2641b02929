"""Weights between the units of two nodes: what a unit is built from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from micrograph.address import check_unit
from micrograph.errors import BadInput, short
from micrograph.graph import Dag
from micrograph.models.linear.approximation import Approximation
from micrograph.models.linear.heads import Heads
from micrograph.models.linear.kernels import Geometry, geometry, near, probed, support, values_at
from micrograph.models.linear.route import Passed, Route, gradients
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.models.pictures import read_picture

if TYPE_CHECKING:
    from micrograph.models.linear.strongest import Strongest

BUDGET = 2 << 30
"""Bytes that kernels, and what they are worked out with, may take where nobody says otherwise."""
_SMALL = 64
"""Pixels of a picture that only has to lead to the source, where its values do not matter."""


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

    @property
    def strength(self) -> Tensor:
        """[target, source]: the sum over each kernel: what a source adds that is alike all over."""
        return self.kernels.sum((2, 3))

    @property
    def size(self) -> Tensor:
        """[target, source]: the sum of the absolute weights of each kernel."""
        return self.kernels.abs().sum((2, 3))


@dataclass(frozen=True)
class _Known:
    """What was found of the way between two nodes: it is the same for all units."""

    geometry: Geometry
    approximations: frozenset[Approximation]
    crop: "_Crop | None"
    """Size of another map, and the position of the target in the middle of what it gives."""
    row: int


_Crop = tuple[tuple[int, int], tuple[int, int]]
_REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, IndexError)
"""How networks say that they do not take a map of another size."""

_KNOWN: "WeakKeyDictionary[Model, dict[tuple[object, ...], _Known]]" = WeakKeyDictionary()


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
    way = _Way(model, a, b, picture, _position(b, position), passing)
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


class _Way:
    """From a source to a target, on a reference or without one."""

    def __init__(
        self,
        model: Model,
        source: Node,
        target: Node,
        picture: Tensor | None,
        position: tuple[int, int] | None,
        heads: Heads | None = None,
    ) -> None:
        self.heads = heads
        self.model, self.source, self.target = model, source, target
        self.picture, self.position = picture, position

    def known(self) -> _Known:
        """What is the same for all units; looked up where no reference was given."""
        if self.picture is not None or self.heads is not None:
            return self._measured()
        kept = _KNOWN.setdefault(self.model, {})
        key = (self.source.id, self.target.id, self.position)
        if key not in kept:
            kept[key] = self._measured()
        return kept[key]

    def kernels(
        self, known: _Known, units: Sequence[int], sources: Sequence[int], budget: int
    ) -> Tensor:
        """[unit, source, y, x], a few units at a time."""
        place = known.geometry
        size, at = known.crop or (None, self._middle())
        passed = self._pass(size=size)
        box, values = place.box(at), values_at(passed, at)
        every = list(sources) == list(range(self.source.units))
        together = max(1, min(128, budget // max(1, 3 * passed.row)))
        found = torch.empty(len(units), len(sources), *place.size)
        for first in range(0, len(units), together):
            some = list(units[first : first + together])
            seeds = torch.eye(len(some), dtype=values.dtype, device=values.device)
            rows = gradients(values[torch.tensor(some)], passed.source, seeds)
            rows = rows[..., None, None] if rows.ndim == 2 else box.of(rows)
            found[first : first + len(some)] = rows if every else rows[:, list(sources)]
        return found

    def _measured(self) -> _Known:
        structure = self._pass(structure=True)
        self._check(structure)
        flat_source, flat_target = structure.source.ndim == 1, structure.target.ndim == 1  # type: ignore[union-attr]
        notes = structure.approximations
        if flat_target:
            shape = (1, 1) if flat_source else tuple(structure.source.shape[1:])
            whole = Geometry((0, 0), (0, 0), (shape[0], shape[1]), None, not flat_source)
            return _Known(whole, notes, None, structure.row)
        if flat_source:
            return _Known(self._of_one(), notes, None, structure.row)
        passed = self._pass()
        found = geometry(structure, passed, self._middle(), held=self.picture is not None)
        if found is None:
            raise BadInput(
                f"position {self._middle()} of {self.target.id} sees nothing of {self.source.id}"
            )
        larger = self._on_a_larger_map() if found.cut else None
        if larger is not None:
            found, crop, row = larger
            return _Known(found, notes, crop, row)
        smaller = None if found.position is not None else self._crop(found, passed)
        return _Known(found, notes, smaller, structure.row)

    def _of_one(self) -> Geometry:
        """Where the source is flat: the same weights at all positions, or others at each."""
        passed, at = self._pass(), self._middle()
        assert passed.target is not None
        rows, columns = passed.target.shape[1:]
        others = [(0, 0), (rows - 1, columns - 1), (at[0], 0), (0, at[1])]
        here = probed(passed, at)
        same = all(near(here, probed(passed, there)) for there in others)
        return Geometry((0, 0), (0, 0), (1, 1), None if same else at)

    def _on_a_larger_map(self) -> "tuple[Geometry, _Crop, int] | None":
        """Where kernels are larger than the map of the source, on a map that they fit in."""
        route = Route(self.model, self.source, self.target, torch.empty(0))
        if self.picture is not None or self.position is not None or not route.can_be_cut:
            return None
        for times in (2, 4):
            size = (self.source.shape[0] * times, self.source.shape[1] * times)
            try:
                structure = self._pass(structure=True, size=size)
                passed = self._pass(size=size)
            except _REFUSALS:
                return None
            assert structure.target is not None
            at = (structure.target.shape[1] // 2, structure.target.shape[2] // 2)
            found = geometry(structure, passed, at, held=False)
            if found is not None and found.position is None:
                return found, (size, at), structure.row
        return None

    def _pass(self, *, structure: bool = False, size: tuple[int, int] | None = None) -> Passed:
        """A pass; without a reference on a small picture, if the source takes its place."""
        model = self.model
        if self.picture is not None:
            route = Route(model, self.source, self.target, self.picture, self.heads)
            return route.passed(structure=structure)
        own = model.preprocessing.size
        shape = size or self.source.shape
        if len(shape) == 2 and own > 2 * _SMALL:
            route = Route(model, self.source, self.target, self._plain(_SMALL), self.heads)
            if route.can_be_cut:
                try:
                    return route.passed(structure=structure, size=(shape[0], shape[1]))
                except _REFUSALS:
                    pass  # the rest of the network wants a map that fits the picture
        route = Route(model, self.source, self.target, self._plain(own), self.heads)
        return route.passed(structure=structure, size=size)

    def _plain(self, size: int) -> Tensor:
        draw = torch.Generator().manual_seed(0)
        pixels = torch.rand(1, 3, size, size, generator=draw).to(self.model.device)
        return self.model.preprocessing.apply(pixels)

    def _crop(self, found: Geometry, passed: Passed) -> "_Crop | None":
        """A smaller map of the source with the same kernels in its middle, if there is one."""
        if not Route(self.model, self.source, self.target, passed.source).can_be_cut:
            return None
        wanted = probed(passed, self._middle())
        box = found.box(self._middle())
        for margin in (0, 1):
            steps = zip(found.offset, found.stride, strict=True)
            down, right = (max(0, -((o - margin) // int(s))) if s else 0 for o, s in steps)
            own = found.box((down, right))
            size = (own.first[0] + own.size[0] + margin, own.first[1] + own.size[1] + margin)
            if any(n >= whole for n, whole in zip(size, passed.source.shape[1:], strict=True)):
                return None
            try:
                small = self._pass(size=size)
                got = probed(small, (down, right))
            except _REFUSALS:
                continue  # it needs a map of its own size, or a larger one
            if near(own.of(got), box.of(wanted)):
                return size, (down, right)
        return None

    def _middle(self) -> tuple[int, int]:
        if self.position is not None:
            return self.position
        rows, columns = self.target.shape or (0, 0)
        return rows // 2, columns // 2

    def _check_heads(self, heads: Heads) -> None:
        """Raises BadInput where there is no attention, or one without such a head."""
        a, b = self.source.id, self.target.id
        if not heads.met:
            raise BadInput(
                f"heads given, but no attention lies between {a} and {b}; leave them out"
            )
        for place, count in heads.met.items():
            if max(heads.numbers) >= count:
                raise BadInput(
                    f"head {max(heads.numbers)} given; expected one of the {count} of {place}, "
                    "numbered from 0"
                )

    def _check(self, passed: Passed) -> None:
        """Raises BadInput where there is no map to be given."""
        a, b = self.source.id, self.target.id
        arrives = passed.arrives
        if passed.target is not None:  # perhaps in other tokens, or in other units, than these
            arrives = bool(passed.target.requires_grad and support(passed, None) is not None)
        if not arrives:
            dag = Dag.of(self.model.nodes.values())
            if b in dag.ancestors(a):
                raise BadInput(f"{a} lies behind {b}; give the earlier node as source")
            raise BadInput(f"no path leads from {a} to {b}; expected a node before {b}")
        notes = sorted(passed.approximations)
        for note in notes:
            if note.refused:
                raise BadInput(f"from {a} to {b}: {note.operation} in {note.node}: {note.replaced}")
        if self.heads is not None:
            self._check_heads(self.heads)
        if passed.target is None:
            which = f": {notes[0]}" if notes else ""
            raise BadInput(f"nothing of {a} reaches {b} by linear operations{which}")
        for note in notes:
            if note.held and self.picture is None:
                raise BadInput(_needs_reference(a, b, note))


def _heads(given: int | Sequence[int] | None, held: bool) -> Heads | None:
    if given is None:
        return None
    numbers = [given] if isinstance(given, int) else list(given)
    if not numbers or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in numbers):
        raise BadInput(f"heads {short(given)} given; expected numbers of heads from 0 on")
    return Heads(tuple(dict.fromkeys(numbers)), held)


def _needs_reference(a: str, b: str, note: Approximation) -> str:
    what = "this"
    if "pattern" in note.replaced or "softmax" in note.operation:
        what = "an attention pattern"
    elif "divides" in note.replaced or "norm" in note.operation:
        what = "a norm without running statistics"
    return (
        f"from {a} to {b}: {what} needs a reference picture ({note.operation} in {note.node}): "
        "pass reference="
    )


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
