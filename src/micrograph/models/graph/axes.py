"""What each axis of a tensor counts: pictures, units, rows, columns, tokens, or something unknown.

A view can cut an axis in pieces and join pieces of several axes: heads out of units, tokens out of
rows and columns, windows out of a map. So an axis is a list of atoms, each a digit of a number:
with size 7, stride 1 and total 56 it is the last of "row = 7 * window + row in the window".
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from micrograph.models.blocks import STILL, Move

QUERY = "query"
"""The kind of tokens that stand for no place and were learned: queries, latents."""

LEARNED = frozenset({QUERY, "token"})
"""Kinds of such tokens; "token" is one whose name tells no more."""

CLASS = "class"
"""The kind of the token that stands for the whole picture."""

LOOSE = "patch"
"""The kind of tokens that stand for places, but nobody knows for which."""


@dataclass(frozen=True)
class Atom:
    """One digit of what an axis counts; the whole of it if `size` is `total`.

    `role` is b(atch), u(nit), y, x, t(okens), o(ther: side by side, and known to be none of these)
    or "?". Tokens are `names`, the kinds of those that
    come first, then the positions of `grid` (y, x), if there is one, then those that come `behind`.
    Rows or columns that were rolled or flipped are `moved`: see `blocks.Move`.
    """

    role: str
    size: int
    stride: int = 1
    total: int = 0
    names: tuple[str, ...] = ()
    grid: tuple[int, int] | None = None
    behind: tuple[str, ...] = ()
    moved: Move = STILL

    @property
    def whole(self) -> bool:
        return self.size == self.total and self.moved == STILL


Axis = tuple[Atom, ...]
Axes = tuple[Axis, ...]


def axis(role: str, size: int) -> Axis:
    """All of one role."""
    return (Atom(role, size, 1, size),)


def unknown(shape: Iterable[int]) -> Axes:
    """Nothing is known of a tensor of that shape."""
    return tuple(axis("?", size) for size in shape)


def tokens(
    names: tuple[str, ...], grid: tuple[int, int] | None, behind: tuple[str, ...] = ()
) -> Axis:
    """An axis of tokens; with none beside them they are the grid's rows and columns."""
    if grid is not None and not names and not behind:
        return axis("y", grid[0]) + axis("x", grid[1])
    if grid is None:
        names, behind = names + behind, ()
    size = len(names) + len(behind) + (math.prod(grid) if grid else 0)
    return (Atom("t", size, 1, size, names, grid, behind),)


def queries(count: int) -> Axis:
    """An axis that counts queries, or latents, that a network learned; one needs no axis."""
    return tokens((QUERY,) * count, None) if count != 1 else ()


def size_of(given: Axis) -> int:
    """How far an axis counts."""
    return math.prod(atom.size for atom in given)


def visible(given: Axis) -> Axis:
    """The atoms that count further than to one."""
    return tuple(atom for atom in given if atom.size != 1)


def is_whole(given: Axis, role: str) -> bool:
    """Whether an axis is all of one role; an axis of size 1 is all of whatever was one."""
    atoms = visible(given)
    if atoms:
        return len(atoms) == 1 and atoms[0].role == role and atoms[0].whole
    return any(atom.role == role for atom in given)


def all_of(given: Axis, role: str) -> bool:
    """Whether an axis counts all of one role, also where that was rolled or flipped."""
    atoms = visible(given)
    return is_whole(given, role) or (
        len(atoms) == 1 and atoms[0].role == role and atoms[0].size == atoms[0].total
    )


def moved_axis(given: Axis, sign: int, shift: int) -> Axis | None:
    """All rows or columns after a flip (`sign` -1) or a roll; None for another axis."""
    if not visible(given) or not (all_of(given, "y") or all_of(given, "x")):
        return None
    (atom,) = visible(given)
    own, start = atom.moved
    # Position p now has what was at `sign * p + first`, which stands for `own * that + start`.
    first = atom.size - 1 if sign < 0 else -shift
    moved = (own * sign, (own * first + start) % atom.size)
    return (replace(atom, moved=moved),)


Tokens = tuple[tuple[str, ...], tuple[int, int] | None, tuple[str, ...]]
"""Kinds of the tokens before a grid of positions, the grid (y, x), kinds of those behind it."""


def tokens_of(given: Axis) -> Tokens | None:
    """The tokens that an axis counts, None for another axis."""
    if len(given) == 1 and given[0].role == "t":
        return given[0].names, given[0].grid, given[0].behind
    if [a.role for a in given] == ["y", "x"] and all(a.whole for a in given):
        return (), (given[0].size, given[1].size), ()
    return None


def has(given: Iterable[Axis], role: str) -> bool:
    """Whether any axis counts something of that role."""
    return any(atom.role == role for one in given for atom in one)


def in_space(given: Axis) -> Axis:
    """The atoms of an axis that count places."""
    return tuple(a for a in visible(given) if a.role in "yxt")


def all_of_space(given: Axis) -> bool:
    """Whether an axis counts every place of a map."""
    atoms = in_space(given)
    sizes = {role: math.prod(a.size for a in atoms if a.role == role) for role in "yx"}
    totals = {a.role: a.total for a in atoms}
    by_rows = all(sizes[role] == totals.get(role, 1) for role in "yx")
    return any(a.role == "t" for a in atoms) or (bool(atoms) and by_rows)


def regrouped(given: Axes, shape: Sequence[int]) -> Axes:
    """The axes of a view: the atoms in their order, cut and joined as `shape` says."""
    atoms = [atom for one in given for atom in one]
    shape = tuple(shape)
    result: list[Axis] = []
    for place, size in enumerate(shape):
        taken: list[Atom] = []
        left = size
        if size == 1 and atoms and atoms[0].size == 1:
            taken.append(atoms.pop(0))
        while left > 1:
            if not atoms:
                return unknown(shape)
            atom = atoms.pop(0)
            if left % atom.size == 0:
                left //= atom.size
            elif atom.size % left == 0 and atom.role != "t":
                rest = atom.size // left
                atoms.insert(0, replace(atom, size=rest))
                atom, left = replace(atom, size=left, stride=atom.stride * rest), 1
            else:
                return unknown(shape)
            taken.append(atom)
        while atoms and atoms[0].size == 1 and shape[place + 1 : place + 2] != (1,):
            taken.append(atoms.pop(0))  # no axis of its own: it was joined to the one before
        result.append(_in_order(_joined_digits(taken)))
    return unknown(shape) if atoms else tuple(result)


def _in_order(given: Axis) -> Axis:
    """All units in another order are units."""
    units = visible(given)
    if len(units) > 1 and all(a.role == "u" and a.total == units[0].total for a in units):
        size = math.prod(a.size for a in units)
        if size == units[0].total and len(set(units)) == len(units):
            return axis("u", size)
    return given


def _joined_digits(atoms: Iterable[Atom]) -> Axis:
    """Neighbouring digits of one number as one."""
    result: list[Atom] = []
    for atom in atoms:
        last = result[-1] if result else None
        if (
            last is not None
            and last.role == atom.role != "t"
            and (last.total, last.moved) == (atom.total, atom.moved)
            and last.stride == atom.stride * atom.size
        ):
            result[-1] = replace(last, size=last.size * atom.size, stride=atom.stride)
        else:
            result.append(atom)
    return tuple(result)


def without_gaps(given: Axes) -> Axes:
    """Axes after digits were dropped (summed over, or one value of them chosen): the rest of each
    role counts from 0 without gaps."""
    renamed: dict[Atom, Atom] = {}
    for role in "uyx":  # a part of the pictures never counts as all of them
        digits = [a for one in given for a in one if a.role == role]
        if len(digits) != len(set(digits)):
            continue  # twice in one tensor, as in a pattern of attention
        stride, total = 1, math.prod(a.size for a in digits)
        if any(a.moved != STILL and a.total != total for a in digits):
            renamed |= {a: axis("?", a.size)[0] for a in digits}  # which are left, nobody knows
            continue
        for atom in sorted(digits, key=lambda a: (a.stride, a.size)):
            renamed[atom] = replace(atom, stride=stride, total=total)
            stride *= atom.size
    return tuple(_joined_digits(renamed.get(a, a) for a in one) for one in given)


def agreed(candidates: Sequence[Axis], size: int) -> Axis:
    """The axis on which tensors that are combined element by element agree.

    What is left of a number after a sum counts like the rest of the number: the means of heads or
    windows meet the heads or windows themselves. Two different parts of a number never agree.
    """
    known = [c for c in candidates if not has([c], "?")]
    alike = {tuple(replace(a, stride=1, total=a.size) for a in visible(c)) for c in known}
    parts = {visible(c) for c in known if not all(a.whole for a in visible(c))}
    if len(alike) != 1 or len(parts) > 1:
        return axis("?", size) if size != 1 else ()
    return max(known, key=lambda c: (len(c), max((a.total for a in c), default=0)))
