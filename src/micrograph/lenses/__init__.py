"""The lenses, found by name. Importing this package, or the words of a lens, never imports torch.

Those that ship are the folders here that have a `lens.py`. Packages of others join through the
entry point group `micrograph.lenses`: each entry point names a `Lens`, with engine, page and words
beside it in its own package.
"""

import pkgutil
import warnings
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING

from micrograph.errors import BadInput, not_found
from micrograph.lenses.contract import Can, Lens, View, Words, check_lens
from micrograph.lenses.params import Optimized, Params, option
from micrograph.lenses.result import PlainResult, Result

if TYPE_CHECKING:
    from micrograph.lenses.engines.base import AnyEngine
    from micrograph.lenses.pages.page import LensPage

GROUP = "micrograph.lenses"

_lenses: dict[str, Lens] = {}
_in_order: dict[str, Lens] = {}
"""The same in reading order, as they were when somebody last asked."""
_engines: dict[str, "AnyEngine"] = {}
_pages: dict[str, "LensPage"] = {}
_scanned = False


def register(lens: Lens) -> Lens:
    """Add a lens under its name; a later one of the same name replaces the earlier."""
    _lenses[lens.name] = lens
    return lens


def lenses() -> dict[str, Lens]:
    """All lenses by name, in the order in which a reader meets them."""
    _scan()
    if _in_order != _lenses:
        _in_order.clear()
        _in_order.update(sorted(_lenses.items(), key=lambda item: (item[1].order, item[0])))
    return dict(_in_order)


def names() -> list[str]:
    """The names of all lenses, those of other packages included."""
    return sorted(lenses())


def lens(name: str) -> Lens:
    """The lens of that name. Raises NotFound with the nearest names."""
    _scan()
    if name not in _lenses:
        raise not_found("technique", name, names())
    return _lenses[name]


def get(name: str) -> "AnyEngine":
    """The engine of that lens; imports torch. Raises NotFound with the nearest names."""
    if name not in _engines:
        _engines[name] = import_module(f"{lens(name).home}.engine").ENGINE
    return _engines[name]


def page(name: str) -> "LensPage":
    """How results of the lens of that name become part of a page. Raises NotFound."""
    if name not in _pages:
        _pages[name] = import_module(f"{lens(name).home}.page").PAGE
    return _pages[name]


def lead() -> tuple[str, str]:
    """Lens and variant of the pictures that are a unit's portrait wherever one is needed."""
    first = next(one for one in lenses().values() if one.can.lead)
    return first.name, first.words.views[0].variant


def live() -> str:
    """The lens of the live microscope."""
    return next(one.name for one in lenses().values() if one.can.live)


def _scan() -> None:
    global _scanned
    if _scanned:
        return
    _scanned = True
    for folder in pkgutil.iter_modules(__path__, f"{__name__}."):
        if folder.ispkg and find_spec(f"{folder.name}.lens"):
            own: Lens = import_module(f"{folder.name}.lens").LENS
            _lenses.setdefault(own.name, own)
    for entry in entry_points(group=GROUP):
        try:
            other = check_lens(entry.load())
            if _lenses.setdefault(other.name, other) is not other:
                raise BadInput(f"there is a lens {other.name} already")
        except Exception as error:  # somebody else's code: it may fail in any way
            warnings.warn(
                f"the lens {entry.name!r} of entry point {entry.value!r} is left out: "
                f"{type(error).__name__}: {error}",
                stacklevel=3,
            )


__all__ = [
    "Can",
    "Lens",
    "Optimized",
    "Params",
    "PlainResult",
    "Result",
    "View",
    "Words",
    "get",
    "lead",
    "lens",
    "lenses",
    "live",
    "names",
    "option",
    "page",
    "register",
]
