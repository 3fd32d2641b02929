"""How a tensor of known axes is shown: as a map, or flat."""

import math
from dataclasses import replace

import numpy as np

from micrograph.models.blocks import STILL, Blocks, Digit, Move
from micrograph.models.graph.axes import (
    CLASS,
    LEARNED,
    LOOSE,
    Atom,
    Axes,
    is_whole,
    tokens_of,
    visible,
)
from micrograph.models.graph.receptive_field import Field
from micrograph.models.layout import AS_GIVEN, OutputLayout

Layout = tuple[OutputLayout, tuple[int, ...], tuple[str, ...]]
"""The layout, the (y, x) of the map, the kinds of the tokens before and behind it."""


def layout_of(given: Axes, pixels: tuple[int, int] = (0, 0)) -> Layout | None:
    """How a tensor of such axes, made of pictures of `pixels` (y, x), is shown. None if they are
    not pictures, units and at most one map of positions, all of it."""
    return _as_it_is(given) or _from_blocks(given, pixels)


def _as_it_is(given: Axes) -> Layout | None:
    """Where each axis counts one thing."""
    letters = ""
    names: tuple[str, ...] = ()
    grid: tuple[int, int] | None = None
    behind: tuple[str, ...] = ()
    for one in given:
        found = next((role for role in "buyx" if role not in letters and is_whole(one, role)), "")
        if not found and "t" not in letters and (known := tokens_of(one)) is not None:
            found, (names, grid, behind) = "t", known
        letters += found or ("1" if not visible(one) else "?")
    if len(given) == 2:
        return (AS_GIVEN, (), ()) if letters[0] == "b" and letters[1] not in "yxt" else None
    if len(given) == 3 and "t" not in letters:
        letters, names = letters.replace("1", "t"), ("",)
    for place in "yx" if len(given) == 4 else "":
        if place not in letters:
            letters = letters.replace("1", place, 1)
    if sorted(letters) == ["b", "u", "x", "y"]:
        y, x = (math.prod(a.size for a in given[letters.index(place)]) for place in "yx")
        return OutputLayout(letters), (y, x), ()
    if sorted(letters) == ["b", "t", "u"] and grid is not None:
        return OutputLayout(letters, len(names), suffix=len(behind)), grid, names + behind
    if sorted(letters) == ["b", "t", "u"] and len(names) == 1:
        return OutputLayout(letters, 1, 0), (), ()
    if sorted(letters) == ["b", "t", "u"] and LOOSE in names and CLASS in names:
        return OutputLayout(letters, len(names), names.index(CLASS)), (), (CLASS,)
    return None


def _from_blocks(given: Axes, pixels: tuple[int, int]) -> Layout | None:
    """Where axes are cut and mixed, if all digits of pictures, units and positions are there."""
    given, names = _queries_as_units(given)
    atoms = [atom for one in given for atom in visible(one)]
    roles = {atom.role for atom in atoms}
    if not ({"b", "u"} <= roles <= set("buyxt")) or len(roles & set("yx")) == 1:
        return None
    if len(given) == 2 and roles == {"b", "u"}:
        return None
    if ("t" in roles and "y" in roles) or not all(_complete(atoms, role) for role in roles):
        return None
    digits = tuple(tuple(_digit(atom) for atom in visible(one)) for one in given)
    blocks = Blocks(digits, (_move(atoms, "y"), _move(atoms, "x")), pixels)
    if "y" in roles:
        return OutputLayout("buyx", blocks=blocks), (blocks.size("y"), blocks.size("x")), ()
    if "t" in roles:
        (stream,) = (atom for atom in atoms if atom.role == "t")
        if stream.grid is None:
            return None
        before, behind = stream.names, stream.behind
        layout = OutputLayout("but", len(before), suffix=len(behind), blocks=blocks)
        return layout, stream.grid, before + behind
    return OutputLayout("bu", blocks=blocks), (), names


def _queries_as_units(given: Axes) -> tuple[Axes, tuple[str, ...]]:
    """Units of each of some learned queries are so many units of the picture: the axes so, and
    the kinds of the queries."""
    found = [a for one in given for a in one if a.role == "t" and a.grid is None]
    units = [a for one in given for a in visible(one) if a.role == "u"]
    if len(found) != 1 or not LEARNED.issuperset(found[0].names) or not _complete(units, "u"):
        return given, ()
    (query,) = found
    step = units[0].total if units else 1
    total = step * query.size

    def as_units(atom: Atom) -> Atom:
        if atom is query:
            return Atom("u", query.size, step, total)
        return replace(atom, total=total) if atom.role == "u" and atom.size > 1 else atom

    return tuple(tuple(as_units(a) for a in one) for one in given), query.names


def _complete(atoms: list[Atom], role: str) -> bool:
    """Whether the digits of a role are all there, each once."""
    digits = sorted((a for a in atoms if a.role == role), key=lambda a: a.stride)
    step = 1
    if not digits:
        return True
    for atom in digits:
        if atom.stride != step or (atom.total, atom.moved) != (digits[0].total, digits[0].moved):
            return False
        step *= atom.size
    return step == digits[0].total and (role in "uyx" or len(digits) == 1)


def _digit(atom: Atom) -> Digit:
    return atom.role, 0 if atom.role == "b" else atom.size, atom.stride


def _move(atoms: list[Atom], role: str) -> Move:
    return next((atom.moved for atom in atoms if atom.role == role), STILL)


def in_place(field: Field, layout: OutputLayout) -> Field:
    """The field of the map that is shown, where that turns back what was moved."""
    for role, (sign, shift) in zip(
        "yx", layout.blocks.moved if layout.blocks else (), strict=False
    ):
        span = field.span(role)
        if (sign, shift) != STILL and field.status == "exact":
            count = layout.blocks.size(role) if layout.blocks else 0
            field = field.along(role, span.taken((sign * (np.arange(count) - shift)) % count))
    return field
