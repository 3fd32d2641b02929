"""The way between two nodes: its geometry, measured once, and the kernels of some units."""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.graph import Dag
from micrograph.models.linear.approximation import Approximation
from micrograph.models.linear.heads import Heads
from micrograph.models.linear.kernels import Geometry, geometry, near, probed, support, values_at
from micrograph.models.linear.route import Passed, Route, gradients
from micrograph.models.model import Model
from micrograph.models.node import Node

_SMALL = 64
"""Pixels of a picture that only has to lead to the source, where its values do not matter."""


@dataclass(frozen=True)
class KnownWay:
    """What was found of the way between two nodes: it is the same for all units."""

    geometry: Geometry
    approximations: frozenset[Approximation]
    crop: "_Crop | None"
    """Size of another map, and the position of the target in the middle of what it gives."""
    row: int


_Crop = tuple[tuple[int, int], tuple[int, int]]
_REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, IndexError)
"""How networks say that they do not take a map of another size."""

KNOWN: "WeakKeyDictionary[Model, dict[tuple[object, ...], KnownWay]]" = WeakKeyDictionary()


class WayBetween:
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

    def known(self) -> KnownWay:
        """What is the same for all units; looked up where no reference was given."""
        if self.picture is not None or self.heads is not None:
            return self._measured()
        kept = KNOWN.setdefault(self.model, {})
        key = (self.source.id, self.target.id, self.position)
        if key not in kept:
            kept[key] = self._measured()
        return kept[key]

    def kernels(
        self, known: KnownWay, units: Sequence[int], sources: Sequence[int], budget: int
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

    def _measured(self) -> KnownWay:
        structure = self._pass(structure=True)
        self._check(structure)
        flat_source, flat_target = structure.source.ndim == 1, structure.target.ndim == 1  # type: ignore[union-attr]
        notes = structure.approximations
        if flat_target:
            shape = (1, 1) if flat_source else tuple(structure.source.shape[1:])
            whole = Geometry((0, 0), (0, 0), (shape[0], shape[1]), None, not flat_source)
            return KnownWay(whole, notes, None, structure.row)
        if flat_source:
            return KnownWay(self._of_one(), notes, None, structure.row)
        passed = self._pass()
        found = geometry(structure, passed, self._middle(), held=self.picture is not None)
        if found is None:
            raise BadInput(
                f"position {self._middle()} of {self.target.id} sees nothing of {self.source.id}"
            )
        # A map may also be too small for a second position whose kernel ends before the border.
        alone = found.position is not None and found.stride == (0, 0)
        larger = self._on_a_larger_map() if found.cut or alone else None
        if larger is not None:
            found, crop, row = larger
            return KnownWay(found, notes, crop, row)
        smaller = None if found.position is not None else self._crop(found, passed)
        return KnownWay(found, notes, smaller, structure.row)

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
            if count == 1 and heads.times.get(place, 0) > 1:
                raise BadInput(
                    f"heads given, but {place} works out {heads.times[place]} patterns one by one: "
                    "which of them is which head cannot be told; leave heads out"
                )
            if max(heads.numbers) >= count:
                raise BadInput(
                    f"head {max(heads.numbers)} given; expected one of the {count} of {place}, "
                    "numbered from 0"
                )

    def _check(self, passed: Passed) -> None:
        """Raises BadInput where there is no map to be given."""
        a, b = self.source.id, self.target.id
        if self.heads is not None and self.heads.met:  # with a wrong one nothing arrives
            self._check_heads(self.heads)
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
