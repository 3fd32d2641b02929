"""Arithmetic of receptive fields: which input pixels a position of a map can see.

A field is a pair of spans (y, x). Position p of the map sees the pixels `start + p * stride` to
`start + p * stride + size - 1`; see Araujo, Norris, Sim 2019, "Computing Receptive Fields of
Convolutional Neural Networks" (Distill).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from micrograph.models.node import ReceptiveField


@dataclass(frozen=True)
class Span:
    """The field along one axis."""

    size: int = 1
    stride: int = 1
    start: int = 0

    @property
    def end(self) -> int:
        """Behind the last pixel that position 0 sees."""
        return self.start + self.size

    def window(self, kernel: int, stride: int, padding: int, dilation: int) -> "Span":
        """Behind a convolution or pooling window."""
        reach = dilation * (kernel - 1)
        return Span(
            self.size + reach * self.stride,
            self.stride * stride,
            self.start - padding * self.stride,
        )


@dataclass(frozen=True)
class Field:
    """The field of a map, `status` as in `node.ReceptiveField`; spans hold for "exact" only."""

    y: Span = Span()
    x: Span = Span()
    status: str = "exact"

    def window(
        self,
        kernel: Sequence[int],
        stride: Sequence[int] = (1,),
        padding: Sequence[int] = (0,),
        dilation: Sequence[int] = (1,),
    ) -> "Field":
        """Behind a window; each argument for both axes (one number) or for y and x."""
        if self.status != "exact":
            return self
        steps = stride or kernel  # an empty stride means that of the kernel

        def along(axis: int) -> tuple[int, int, int, int]:
            k, s, p, d = (
                (v[axis] if len(v) > 1 else v[0]) for v in (kernel, steps, padding, dilation)
            )
            return k, s, p, d

        return Field(self.y.window(*along(0)), self.x.window(*along(1)))

    def shifted(self, y: int, x: int) -> "Field":
        """Behind padding with y rows above and x columns to the left (cropping if negative)."""
        return self.window((1,), (1,), (y, x))

    def as_square(self) -> ReceptiveField:
        """The square field that covers both axes; equal strides are needed for that."""
        if self.status != "exact":
            return ReceptiveField(status=self.status)
        if self.y.stride != self.x.stride:
            return ReceptiveField(status="unknown")
        cover = _union(self.y, self.x)
        return ReceptiveField(cover.size, cover.stride, cover.start)


WHOLE = Field(status="whole input")
UNKNOWN = Field(status="unknown")


def _union(a: Span, b: Span) -> Span:
    start = min(a.start, b.start)
    return Span(max(a.end, b.end) - start, a.stride, start)


def union(fields: Iterable[Field]) -> Field:
    """The field of an elementwise combination or concatenation of maps."""
    fields = list(fields)
    for status in (UNKNOWN, WHOLE):
        if any(f.status == status.status for f in fields):
            return status
    result = fields[0]
    for f in fields[1:]:
        if (f.y.stride, f.x.stride) != (result.y.stride, result.x.stride):
            return UNKNOWN
        result = Field(_union(result.y, f.y), _union(result.x, f.x))
    return result
