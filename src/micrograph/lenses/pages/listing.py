"""The parts of a page that lenses make, in the order in which a reader meets them."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from micrograph.errors import MicrographError
from micrograph.lenses import lenses, page
from micrograph.lenses.contract import Lens, Words
from micrograph.lenses.pages import generic, pictures
from micrograph.lenses.pages.page import Page
from micrograph.lenses.pages.scene import Scene

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Broken:
    """In place of the part of a lens that broke while it read its results; `message` says so."""

    technique: str
    form: str
    message: str


def _parts() -> Any:
    """The types of all parts, for the description of the pages' JSON."""
    own = [page(name).part for name in lenses()]
    every = [pictures.Pictures, generic.Generic, Broken, *(part for part in own if part)]
    return reduce(or_, dict.fromkeys(every))


if TYPE_CHECKING:
    Section = Any
else:
    Section = _parts()
"""A part of a page: `technique` names the lens, `form` the template."""


def words(technique: str) -> Words:
    """The words of a lens; for one the site does not know, as much as its name says."""
    return lenses()[technique].words if technique in lenses() else generic.words(technique)


@dataclass(frozen=True)
class Plugin:
    lens: Words
    page: Page
    sweep: bool
    section: Any
    variants: Any
    tiles: Any


def _plugin(one: Lens) -> Plugin:
    p = page(one.name)
    return Plugin(one.words, p, one.can.whole_node, p.section, p.variants, p.tiles)


PLUGINS = {name: _plugin(one) for name, one in lenses().items()}
LENSES = tuple(p.lens for p in PLUGINS.values())


def all_words() -> list[Words]:
    """The words of all lenses, in reading order."""
    return [one.words for one in lenses().values()]


def sections(scene: Scene, level: str) -> list[Section]:
    """The parts of a page, in reading order: the lenses of that level ("unit" or "node") that have
    something to show, then techniques without words. One that breaks costs its own part."""
    found = [_section(scene, name) for name, one in lenses().items() if one.words.level == level]
    unknown = dict.fromkeys(v.technique for v in scene.found if v.technique not in lenses())
    return [part for part in found if part] + [
        generic.section(scene, technique) for technique in unknown
    ]


def _section(scene: Scene, name: str) -> Section | None:
    try:
        make = page(name).section
        return make(scene) if make else None
    except MicrographError:  # the atlas itself cannot be read: that is the page's to say
        raise
    except Exception as error:
        return broken(name, error)


def broken(technique: str, error: Exception) -> Broken:
    """What a page shows in place of a part whose lens failed in any way."""
    _log.warning("the lens %s broke on a page", technique, exc_info=error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Broken(technique, "broken", f"this lens could not be shown ({what[:200]})")


def absent(there: Iterable[str], level: str) -> list[Words]:
    """The lenses of a level that have nothing to show among the techniques that are `there`."""
    known = set(there)
    return [w for w in all_words() if w.level == level and w.technique not in known]


__all__ = [
    "LENSES",
    "PLUGINS",
    "Broken",
    "Scene",
    "Section",
    "absent",
    "all_words",
    "broken",
    "lenses",
    "page",
    "sections",
    "words",
]
