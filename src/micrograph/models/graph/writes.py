"""What a tensor holds after something was written into a part of its memory.

`y[:, :2] = x`, `y[:, :, 1:].mul_(s)`: the operation sees the part only, but whoever reads `y` later
reads what was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from micrograph.models.graph.aten_call import Trace, resized_axis
from micrograph.models.graph.axes import Axes, Axis, axis, is_whole, unknown, visible
from micrograph.models.graph.places import fitting
from micrograph.models.graph.receptive_field import (
    NO_UNITS,
    UNKNOWN,
    Field,
    FullUnits,
    Span,
    differ,
    union,
)
from micrograph.models.graph.seen import NONE, SeenPixels, together


@dataclass(frozen=True)
class _Slot:
    """Where a part lies along one axis of the whole: `count` places from `first` on, `step` apart.
    `place` is the axis of the part that counts them, None if one place was chosen."""

    first: int
    step: int
    count: int
    place: int | None

    def of_all(self, size: int) -> bool:
        """Whether it is the whole axis."""
        return self.count == size and self.step == 1


def reaches(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors in one storage may share memory."""
    return _start(one) <= _end(other) and _start(other) <= _end(one)


def is_all(part: Tensor, whole: Tensor) -> bool:
    """Whether a tensor in the storage of another is all of it, in whatever form."""
    same = (_start(part), _end(part)) == (_start(whole), _end(whole))
    return same and part.numel() == whole.numel()


def _start(t: Tensor) -> int:
    return int(t.storage_offset())


def _end(t: Tensor) -> int:
    steps = zip(t.shape, t.stride(), strict=True)
    return _start(t) + sum((n - 1) * step for n, step in steps)


def trace_after_write(
    whole: Tensor, before: Trace | None, part: Tensor, written: Trace | None
) -> Trace | None:
    """What is known of `whole` now that `part` of its memory was written to.

    Parameters:
        before: what was known of it; None if it did not come from the pictures.
        written: what the part holds now; None for constants.
    """
    parts = _parts(part, whole)
    if parts is None:  # not a part of it, but in some other way in the same place
        old = None if is_all(part, whole) else before
        known = [t.field for t in (old, written) if t is not None]
        if not known:
            return None
        axes = before.axes if before is not None else unknown(whole.shape)
        return Trace(axes, fitting(union(known), axes))
    if written is None:
        if before is None:
            return None
        return replace(before, field=_field(whole, before.axes, before.field, parts, None))
    axes = _axes(whole, before, parts, written.axes)
    field = _field(whole, axes, None if before is None else before.field, parts, written.field)
    return Trace(axes, fitting(field, axes))


def _parts(part: Tensor, whole: Tensor) -> list[_Slot] | None:
    """Where `part` lies in `whole`, for each axis of the latter; None if it is no such part."""
    left = _start(part) - _start(whole)
    if left < 0 or part.numel() > whole.numel():
        return None
    free = [d for d, n in enumerate(part.shape) if n > 1]
    found: dict[int, _Slot] = {}
    steps = whole.stride()
    by_step = sorted(range(whole.ndim), key=lambda d: (-steps[d], -whole.shape[d]))
    for d in by_step:
        size, step = whole.shape[d], steps[d]
        if size == 1 or step == 0:
            found[d] = _Slot(0, 1, size, None)
            continue
        first, left = divmod(left, step)
        inner = next((p for p in free if part.stride(p) % step == 0), None)
        count = 1 if inner is None else part.shape[inner]
        by = 1 if inner is None else part.stride(inner) // step
        if first + (count - 1) * by >= size:
            return None
        if inner is not None:
            free.remove(inner)
        if inner is None and part.ndim == whole.ndim:
            inner = d  # an axis of one place
        found[d] = _Slot(first, by, count, inner)
    return None if left or free else [found[d] for d in range(whole.ndim)]


def _axes(whole: Tensor, before: Trace | None, parts: Sequence[_Slot], written: Axes) -> Axes:
    """The axes of the whole: its own, or those of what was written where there were none."""
    result: list[Axis] = []
    for d, (size, part) in enumerate(zip(whole.shape, parts, strict=True)):
        new = None if part.place is None else written[part.place]
        if before is not None:
            own = before.axes[d]
            same = new is None or _roles(new) == _roles(own) or "?" in _roles(own)
            result.append(own if same else axis("?", size))
        elif new is None:
            result.append(axis("?", size) if size > 1 else ())
        else:
            result.append(new if part.of_all(size) else resized_axis(new, size))
    return tuple(result)


def _roles(one: Axis) -> list[str]:
    return [a.role for a in visible(one)]


def _field(
    whole: Tensor, axes: Axes, before: Field | None, parts: Sequence[_Slot], written: Field | None
) -> Field:
    """The field of the whole. Places that were written completely see what was written; places
    that were written in part see both."""
    inexact = [f for f in (before, written) if f is not None and f.status != "exact"]
    if inexact:
        return union(inexact)
    cut = [d for d, part in enumerate(parts) if not part.of_all(whole.shape[d])]
    roles = {d: next((r for r in "yx" if is_whole(axes[d], r)), "") for d in cut}
    if not any(roles.values()):
        known = [f for f in (before, written) if f is not None]
        if _in_hidden_place(axes, cut):
            return UNKNOWN
        field = union(known)
        if len(known) == 2 and not differ(known):
            return field
        return replace(field, full=_full(field, axes, cut, parts, written))
    if _in_hidden_place(axes, [d for d in cut if not roles[d]]):
        return UNKNOWN
    made = before or written
    assert made is not None
    for role in "yx":
        d = next((d for d in cut if roles[d] == role), None)
        old, new = (None if f is None else f.span(role) for f in (before, written))
        span = _span(old, new, whole.shape[d], parts[d], len(cut) > 1) if d is not None else None
        if d is None:
            if old is None or new is None:
                continue
            both = union([Field(y=old), Field(y=new)])
            if both.status != "exact":
                return UNKNOWN
            alike = old.seen is not None and new.seen is not None and old.seen.equals(new.seen)
            span = both.y if alike else replace(both.y, loose=True)
        if span is None:
            return UNKNOWN
        made = made.along(role, span)
    return replace(made, full=NO_UNITS)


def _full(
    field: Field, axes: Axes, cut: Sequence[int], parts: Sequence[_Slot], written: Field | None
) -> FullUnits:
    """The units that see all: those that were written, if nothing else sees more."""
    if len(cut) != 1 or not is_whole(axes[cut[0]], "u") or written is None or written.full:
        return NO_UNITS
    slot = parts[cut[0]]
    more = differ([field, written]) or slot.step != 1
    return NO_UNITS if more else FullUnits(slot.first, slot.first + slot.count)


def _in_hidden_place(axes: Axes, cut: Sequence[int]) -> bool:
    """Whether one of these axes counts places in a way that cannot be told apart here."""
    return any(a.role in "yxt" for d in cut for a in visible(axes[d]))


def _span(old: Span | None, new: Span | None, size: int, part: _Slot, in_part: bool) -> Span | None:
    """Along an axis of which some positions were written, only some values of each if `in_part`."""
    some = (old or new or Span()).seen
    if some is None:
        return None
    nothing = some.taken(np.full(size, NONE))
    was = nothing if old is None else old.seen
    table = np.full(size, NONE)
    table[part.first + part.step * np.arange(part.count)] = np.arange(part.count)
    if new is None:
        now: SeenPixels | None = nothing
    elif new.seen is None or new.seen.count not in (1, part.count):
        return None
    else:
        now = new.seen.taken(np.where(table == NONE, NONE, table if new.seen.count > 1 else 0))
    if was is None or now is None or was.count != size:
        return None
    if not in_part:
        was = was.taken(np.where(table == NONE, np.arange(size), NONE))
    seen = together(was, now)
    return (
        None if seen is None else replace(Span().as_seen(seen), loose=in_part and old is not None)
    )
