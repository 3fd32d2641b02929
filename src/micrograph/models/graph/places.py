"""How the axes of a tensor and its receptive field hang together: which axes count the positions
of the field, and what becomes of it when positions are summed over, mixed or chosen."""

import numpy as np

from micrograph.models.graph.axes import Atom, Axes, Axis, all_of_space, in_space, visible
from micrograph.models.graph.receptive_field import UNKNOWN, WHOLE, Field
from micrograph.models.graph.seen import NONE


def _digits(axes: Axes, role: str) -> list[Atom]:
    """The digits of a position's number along y or x, the highest first; each once."""
    found = {a for one in axes for a in one if a.role == role and a.size > 1}
    return sorted(found, key=lambda a: (-a.stride, -a.size))


def _count(axes: Axes, role: str) -> int:
    """How many positions a tensor of these axes has along y or x."""
    count = 1
    for atom in _digits(axes, role):
        count *= atom.size
    for atom in (a for one in axes for a in one if a.role == "t" and a.grid):
        assert atom.grid is not None
        count = max(count, atom.grid["yx".index(role)])
    return count


def fitting(field: Field, axes: Axes) -> Field:
    """The field, if its positions are those of the axes: else nobody knows which is which."""
    if field.status != "exact":
        return field
    for role in "yx":
        seen = field.span(role).seen
        if seen is not None and seen.count != _count(axes, role):
            return UNKNOWN
    return field


def summed(field: Field, axes: Axes, gone: Axis) -> Field:
    """The field after a sum over `gone`, some of the atoms of `axes`, with fixed weights."""
    return _over(_over_units(field, gone), axes, gone, keep=False)


def _over_units(field: Field, gone: Axis) -> Field:
    return field.even() if any(a.role == "u" and a.whole for a in gone) else field


def mixed(field: Field, axes: Axes, over: Axis) -> Field:
    """The field where every value sees all of `over`, some of the atoms of `axes`."""
    if not in_space(over) and any(a.role == "?" for a in visible(over)):
        return field if field.status != "exact" or not _any_places(axes) else UNKNOWN
    return _over(_over_units(field, over), axes, over, keep=True)


def _any_places(axes: Axes) -> bool:
    return any(in_space(one) for one in axes)


def _over(field: Field, axes: Axes, gone: Axis, *, keep: bool) -> Field:
    if field.status != "exact" or not in_space(gone):
        return field
    if all_of_space(gone):
        return WHOLE
    for role in "yx":
        mine = {a for a in in_space(gone) if a.role == role}
        digits = _digits(axes, role)
        if not mine:
            continue
        span = field.span(role)
        if _twice(axes, role) or not mine <= set(digits):
            return UNKNOWN
        if len(mine) == len(digits):
            span = span.everything()
            if not keep and span.seen is not None:
                span = span.as_seen(span.seen.one())
        else:
            sizes = [a.size for a in digits]
            span = span.over_digits(sizes, [digits.index(a) for a in digits if a in mine], keep)
        field = field.along(role, span)
    return field


def _twice(axes: Axes, role: str) -> bool:
    """Whether positions are counted twice, as in a pattern of attention."""
    found = [a for one in axes for a in one if a.role == role and a.size > 1]
    return len(found) != len(set(found))


def known_token(axis: Axis, index: int) -> bool:
    """Whether the token at that place of an axis is none of a map's positions."""
    return any(index < len(a.names) for a in axis)


def nowhere(field: Field) -> Field:
    """Of tokens beside the positions of a map, as long as nothing was mixed: they see nothing."""
    for role in "yx" if field.status == "exact" else "":
        span = field.span(role)
        if span.seen is not None:
            span = span.as_seen(span.seen.taken(np.full(1, NONE)))
        field = field.along(role, span)
    return field


def chosen(field: Field, axes: Axes, axis: Axis, index: int) -> Field:
    """The field where one value of an axis was chosen."""
    if any(a.role in "uo" for a in visible(axis)):
        field = field.of_some_units()
    if field.status != "exact" or not in_space(axis):
        return field
    if any(a.role == "t" for a in axis):
        return nowhere(field) if known_token(axis, index) else UNKNOWN
    if any(_twice(axes, role) for role in "yx"):
        return UNKNOWN
    for atom in reversed(visible(axis)):  # the last atom is the lowest digit
        index, value = divmod(index, atom.size)
        if atom.role not in "yx":
            continue
        digits = _digits(axes, atom.role)
        span = field.span(atom.role)
        sizes = [a.size for a in digits]
        field = field.along(atom.role, span.with_digit(sizes, digits.index(atom), value))
        axes = tuple(tuple(a for a in one if a != atom) for one in axes)
    return field
