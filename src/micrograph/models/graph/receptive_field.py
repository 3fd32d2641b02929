"""Arithmetic of receptive fields: which input pixels a position of a map can see.

A field is a pair of spans (y, x). Position p of the map sees the pixels `start + p * stride` to
`start + p * stride + size - 1`; see Araujo, Norris, Sim 2019, "Computing Receptive Fields of
Convolutional Neural Networks" (Distill). Beside that formula goes what each position really sees
(`seen.SeenPixels`), and a node's field is stated only as far as the two agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from micrograph.models.graph.seen import Indices, SeenPixels, together, window_table
from micrograph.models.node import ReceptiveField


@dataclass(frozen=True)
class Span:
    """The field along one axis: a formula, if `formula` says that it holds, and what is `seen`.

    With `loose` some positions may see less than that, as where rows of one map see more columns
    than others.
    """

    size: int = 1
    stride: int = 1
    start: int = 0
    seen: SeenPixels | None = field(default=None, compare=False)
    formula: bool = True
    loose: bool = field(default=False, compare=False)

    @property
    def end(self) -> int:
        """Behind the last pixel that position 0 sees."""
        return self.start + self.size

    def window(
        self, kernel: int, stride: int, padding: int, dilation: int, count: int | None = None
    ) -> "Span":
        """Behind a convolution or pooling window that gives `count` positions."""
        seen = None
        if self.seen is not None and count is not None:
            seen = self.seen.taken(
                window_table(self.seen.count, count, kernel, stride, -padding, dilation)
            )
        reach = dilation * (kernel - 1)
        return Span(
            self.size + reach * self.stride,
            self.stride * stride,
            self.start - padding * self.stride,
            seen,
            self.formula,
            self.loose,
        )

    def taken(self, positions: Indices, stride: int = 0, start: int = 0) -> "Span":
        """Of new positions, each of which sees some of the old ones (see `SeenPixels.taken`).

        `stride` and `start` are the rule behind them, new position p standing for `start + p *
        stride`, if there is one.
        """
        seen = None if self.seen is None else self.seen.taken(positions)
        ruled = self.formula and stride > 0
        size, begin = self.size, self.start + start * self.stride
        return Span(size, self.stride * stride, begin, seen, ruled, self.loose)

    def as_seen(self, seen: SeenPixels | None) -> "Span":
        """Without a formula."""
        return Span(seen=seen, formula=False, loose=self.loose)

    def everything(self) -> "Span":
        """Where each position sees the whole picture along this axis."""
        return self.as_seen(None if self.seen is None else self.seen.everything())

    def over_digits(self, sizes: Sequence[int], gone: Sequence[int], keep: bool) -> "Span":
        """After a sum over digits of the position's number (see `SeenPixels.over_digits`)."""
        seen = None if self.seen is None else self.seen.over_digits(sizes, gone, keep)
        last = len(sizes) - 1
        if keep or len(gone) != 1 or gone[0] not in (0, last) or not last:
            return self.as_seen(seen)
        size = sizes[gone[0]]
        if gone[0] == last:  # windows side by side
            made = self.window(size, size, 0, 1)
        else:
            made = self.window(size, 1, 0, int(np.prod(sizes[1:])))
        return replace(made, seen=seen)

    def with_digit(self, sizes: Sequence[int], digit: int, value: int) -> "Span":
        """Of the positions in whose number a digit has that value."""
        seen = None if self.seen is None else self.seen.with_digit(sizes, digit, value)
        last = len(sizes) - 1
        if digit not in (0, last) or not last:
            return self.as_seen(seen)
        if digit == last:
            made = self.window(1, sizes[last], -value, 1)
        else:
            made = self.window(1, 1, -value * int(np.prod(sizes[1:])), 1)
        return replace(made, seen=seen)

    def stated(self) -> tuple["Span", str]:
        """The formula that may be told of this axis, and how far it holds: "exact"; "at most" if
        positions see no more than it says; "whole input"; "unknown"."""
        if self.seen is None:
            return self, "exact" if self.formula else "unknown"
        if self.formula and self.stride > 0 and self._covers(self.seen):
            return self, "exact" if self._tells(self.seen) and not self.loose else "at most"
        if self.seen.whole:
            return self, "whole input"
        found = _fitted(self.seen)
        if found is None:
            return self, "unknown"
        return found, "exact" if found._tells(self.seen) and not self.loose else "at most"

    def _ends(self, count: int) -> tuple[Indices, Indices]:
        """First and last pixel of each position by the formula, also beyond the picture."""
        first = self.start + self.stride * np.arange(count)
        return first, first + self.size - 1

    def _covers(self, seen: SeenPixels) -> bool:
        """Whether the formula leaves nothing out."""
        first, last = self._ends(seen.count)
        nothing = seen.last < seen.first
        return bool((((first <= seen.first) & (last >= seen.last)) | nothing).all())

    def _tells(self, seen: SeenPixels) -> bool:
        """Whether the formula says just what is seen, wherever no border cuts it off."""
        first, last = self._ends(seen.count)
        beyond = (first >= seen.pixels) | (last < 0)
        low = (first == seen.first) | (first < 0)
        high = (last == seen.last) | (last >= seen.pixels)
        return bool(((low & high) | beyond).all())


def _fitted(seen: SeenPixels) -> Span | None:
    """The smallest span with a whole stride that covers what is seen; None if that is no more than
    to say that it is the whole picture."""
    places = np.arange(seen.count)
    inside = (seen.first > 0) & (seen.last >= seen.first) & (seen.last < seen.pixels - 1)
    if inside.sum() < 2:
        return None
    stride = _stride(seen.first[inside], places[inside])
    if stride < 1:
        return None
    something = seen.last >= seen.first
    # Where the border cuts off what a position sees, it says nothing about the other side.
    for low, high in (
        (something & (seen.first > 0), something & (seen.last < seen.pixels - 1)),
        (something, something),
    ):
        start = int((seen.first - places * stride)[low].min())
        end = int((seen.last - places * stride)[high].max()) + 1
        found = Span(end - start, stride, start, seen)
        if found._covers(seen):
            break
    return found if found.size < seen.pixels else None


def _stride(first: Indices, places: Indices) -> int:
    """By how many pixels the fields of neighbouring positions lie apart, 0 if by no whole number.

    They may go in steps, as behind upsampling, where some neighbours see the same.
    """
    stride, rest = divmod(int(first[-1] - first[0]), int(places[-1] - places[0]))
    if not rest:
        return stride
    for period in range(2, len(first) // 2 + 1):
        steps = set((first[period:] - first[:-period]).tolist())
        if len(steps) == 1 and (places[period:] - places[:-period] == period).all():
            stride, rest = divmod(steps.pop(), period)
            return 0 if rest else stride
    return 0


@dataclass(frozen=True)
class FullUnits:
    """Units `begin` to `end` - 1, of which any `run` neighbours see together what all units see."""

    begin: int = 0
    end: int = 0
    run: int = 1

    def within(self, first: int, count: int) -> "FullUnits | None":
        """Those among `count` units from `first` on; None if there are too few."""
        begin, end = max(self.begin - first, 0), min(self.end - first, count)
        return FullUnits(begin, end, self.run) if end - begin >= self.run else None

    def shuffled(self, blocks: int, size: int) -> "FullUnits":
        """After the units of `blocks` blocks of that size were dealt out in turn."""
        covered = any(self.begin <= k * size and (k + 1) * size <= self.end for k in range(blocks))
        return FullUnits(0, blocks * size, blocks * self.run) if covered else NO_UNITS


NO_UNITS = FullUnits()


@dataclass(frozen=True)
class Field:
    """The field of a map; spans hold for "exact" only, which here means that it was followed.

    The other values of `status` are "whole input" and "unknown". It is that of all units together.
    Where some units see less, such as those of one branch of a concatenation, `full` are units that
    see it all; None where each does.
    """

    y: Span = Span()
    x: Span = Span()
    status: str = "exact"
    full: FullUnits | None = field(default=None, compare=False)

    @classmethod
    def of_picture(cls, rows: int, columns: int) -> "Field":
        """Each pixel sees itself."""
        return cls(Span(seen=SeenPixels.itself(rows)), Span(seen=SeenPixels.itself(columns)))

    def window(
        self,
        kernel: Sequence[int],
        stride: Sequence[int] = (1,),
        padding: Sequence[int] = (0,),
        dilation: Sequence[int] = (1,),
        shape: Sequence[int] = (),
    ) -> "Field":
        """Behind a window that gives a map of that shape; each argument for both axes (one number)
        or for y and x."""
        if self.status != "exact":
            return self
        counts = shape or (None, None)

        def along(span: Span, axis: int) -> Span:
            k, s, p, d = (
                (v[axis] if len(v) > 1 else v[0]) for v in (kernel, stride, padding, dilation)
            )
            return span.window(k, s, p, d, counts[axis])

        return replace(self, y=along(self.y, 0), x=along(self.x, 1))

    def of_some_units(self, first: int = 0, count: int = 0) -> "Field":
        """Of `count` units from `first` on (0: of some units): they may see less than all."""
        if self.full is None:
            return self
        left = self.full.within(first, count)
        if left is not None:
            return replace(self, full=left)
        return Field(replace(self.y, loose=True), replace(self.x, loose=True), self.status)

    def even(self) -> "Field":
        """Where every unit sees what all of them saw."""
        return replace(self, full=None)

    def along(self, role: str, span: Span) -> "Field":
        """With another span along y or x, where the field was followed."""
        if self.status != "exact":
            return self
        return replace(self, y=span) if role == "y" else replace(self, x=span)

    def span(self, role: str) -> Span:
        """Its span along y or x."""
        return self.y if role == "y" else self.x

    def as_square(self) -> ReceptiveField:
        """The square field that covers both axes; equal strides are needed for that."""
        if self.status != "exact":
            return ReceptiveField(status=self.status)
        (y, of_y), (x, of_x) = self.y.stated(), self.x.stated()
        for status in ("unknown", "whole input"):
            if status in (of_y, of_x):
                return ReceptiveField(status=status)
        if y.stride != x.stride:
            return ReceptiveField(status="unknown")
        cover = _union(y, x)
        status = "exact" if of_y == of_x == "exact" else "at most"
        return ReceptiveField(cover.size, cover.stride, cover.start, status)


WHOLE = Field(status="whole input")
UNKNOWN = Field(status="unknown")


def _union(a: Span, b: Span) -> Span:
    start = min(a.start, b.start)
    return Span(max(a.end, b.end) - start, a.stride, start)


def _both(a: Span, b: Span) -> Span | None:
    """What positions see that see what those of `a` and of `b` see; None if nobody knows."""
    if a.seen is None or b.seen is None:
        fits = a.formula and b.formula and a.stride == b.stride
        return _union(a, b) if fits else None
    seen = together(a.seen, b.seen)
    if seen is None:
        return None
    if not (a.formula and b.formula and a.stride == b.stride and a.seen.count == b.seen.count):
        return replace(a.as_seen(seen), loose=a.loose or b.loose)
    return replace(_union(a, b), seen=seen, loose=a.loose or b.loose)


def union(fields: Iterable[Field]) -> Field:
    """The field of an elementwise combination or concatenation of maps."""
    fields = list(fields)
    for status in (UNKNOWN, WHOLE):
        if any(f.status == status.status for f in fields):
            return status
    result = fields[0]
    for f in fields[1:]:
        y, x = _both(result.y, f.y), _both(result.x, f.x)
        if y is None or x is None:
            return UNKNOWN
        alike = result.full is None or f.full in (None, result.full)
        result = Field(y, x, full=(result.full or f.full) if alike else NO_UNITS)
    return result


def differ(fields: Iterable[Field]) -> bool:
    """Whether some of the fields are not the same as the others."""
    first, *others = fields
    return any(not (_same(first.y, f.y) and _same(first.x, f.x)) for f in others)


def _same(a: Span, b: Span) -> bool:
    if a.seen is None or b.seen is None:
        return a == b
    return a == b and a.seen.equals(b.seen)
