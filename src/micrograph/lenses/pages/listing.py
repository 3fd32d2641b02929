"""What pages show of the lenses, in the order in which a reader meets them."""

import logging
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from micrograph.lenses import lenses, page
from micrograph.lenses.contract import Words
from micrograph.lenses.pages import generic, pictures
from micrograph.lenses.pages.page import LensPage

_log = logging.getLogger(__name__)
_broken: dict[str, LensPage] = {}
"""In place of pages that could not be loaded: tried once, said once."""
_sound: dict[str, LensPage] = {}
"""Those that were checked."""


def page_of(lens: str) -> LensPage:
    """The functions of a lens that make parts of pages; none for one that the site does not know,
    nor for one whose code cannot be loaded."""
    if lens not in lenses():
        return LensPage()
    if lens in _broken:
        return _broken[lens]
    try:
        found = page(lens)
        known = _sound.get(lens)
        if known is None or known is not found:
            known = _sound[lens] = _checked(found)
        return known
    except Exception:  # somebody else's code: it may fail in any way
        _log.exception("the page of the lens %s cannot be loaded", lens)
        return _broken.setdefault(lens, LensPage())


def _checked(found: LensPage) -> LensPage:
    """`found`, where the site can do with it what it does with all pages of lenses."""
    if not isinstance(found, LensPage):
        raise TypeError(f"PAGE is no LensPage but {type(found).__name__}")
    for part in (found.part, found.node_part):
        if part is not None and not isinstance(part, type):
            raise TypeError("part of PAGE is no class")
    if not isinstance(found.drawings, Mapping):
        raise TypeError("drawings of PAGE are no mapping")
    return found


def _types() -> Any:
    """The types of all parts, for the description of the pages' JSON."""
    pages = map(page_of, lenses())
    own = [part for one in pages for part in (one.part, one.node_part) if part]
    return reduce(or_, dict.fromkeys([pictures.PictureList, generic.Generic, *own]))


if TYPE_CHECKING:
    Section = Any
else:
    Section = _types()
"""A part of a page: `technique` names the lens, `form` the template."""


def words(lens: str) -> Words:
    """The words of a lens; for one the site does not know, as much as its name says."""
    return lenses()[lens].words if lens in lenses() else generic.words(lens)


def all_words() -> list[Words]:
    """The words of all lenses, in reading order."""
    return [one.words for one in lenses().values()]


def absent(there: Iterable[str], level: str) -> list[Words]:
    """The lenses of a level that have nothing to show among those that are `there`."""
    known = set(there)
    return [one for one in all_words() if one.level == level and one.technique not in known]
