"""What pages ask of the lenses, answered from `Can` of each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from micrograph.atlas.reading import Reading
from micrograph.atlas.records import Visualization
from micrograph.lenses import Can, lenses
from micrograph.lenses.contract import View, Words
from micrograph.lenses.pages.listing import page_of
from micrograph.parts.urls import Urls


def _first(can: str) -> str:
    """The name of the first lens that can do what a field of `Can` names."""
    return next(name for name, one in lenses().items() if getattr(one.can, can))


def _can(lens: str) -> Can:
    return lenses()[lens].can if lens in lenses() else Can()


DEFAULT: Words = lenses()[_first("lead")].words
"""The lens whose pictures are the default picture of units. A unit's page begins with it, also
where nothing is rendered; `micrograph render` without a lens makes its
results."""

MAP = _first("replaces_grid")
"""The lens that puts a map in the place of a node's grid and of a model's graph."""

if TYPE_CHECKING:
    UnitsMap = Any
else:
    UnitsMap = page_of(MAP).part
"""What that lens draws."""

EXAMPLES = _first("on_dataset")
"""The lens whose tiles stand for units that have no picture of their own beside those of another
model, and whose whole-node results hold what units answered to a dataset."""


def units_map(atlas: Reading, urls: Urls, node: str | None) -> UnitsMap | None:
    """All units of a node, or of the model, as the lens `MAP` draws them; None where it cannot."""
    draw = page_of(MAP).units_map
    return draw(atlas, urls, node) if draw else None


def in_graph() -> list[str]:
    """Lenses of nodes whose picture can stand in the nodes of a model's graph."""
    return [name for name, one in lenses().items() if one.can.in_graph]


def by_picture(lens: str) -> bool:
    """Whether the lens's variant is the name of the picture that it looked at."""
    return _can(lens).on_pictures


def is_default_tile(lens: str, variant: str) -> bool:
    """Whether results of that kind are the pictures that stand for units."""
    return (lens, variant) == (DEFAULT.technique, DEFAULT.views[0].variant)


def default_view(objective: str, sign: str) -> View:
    """The view of the default lens that an objective and a sign name."""
    return next(v for v in DEFAULT.views if (v.objective, v.sign) == (objective, sign))


def lenses_with_tiles() -> list[str]:
    """The lenses that can make the grid of a node's page, or stand in its place."""
    return [*(name for name in lenses() if page_of(name).tiles), MAP]


def is_in_doubt(lens: str, there: Sequence[str]) -> bool:
    """Whether it is unknown that the model supports the lens: the lens needs a text tower, and the
    model has no results of it so far."""
    return _can(lens).needs_text and lens not in there


def variant_word(lens: str) -> str:
    """What a reader calls the variants of a lens as the tile of a grid."""
    return _can(lens).variant_title


def source_names(section: object) -> list[str]:
    """The names of the pictures that a part of a node's page looked at; of such parts one picture
    is shown at a time."""
    shown = by_picture(getattr(section, "technique", ""))
    return [one.shot.variant for one in getattr(section, "pictures", ())] if shown else []


def pictures_looked_at(found: Sequence[Visualization]) -> list[str]:
    """The names of the pictures that results about a node as a whole looked at."""
    return [*dict.fromkeys(v.variant for v in found if by_picture(v.technique))]


def datasets_shown(found: Sequence[Visualization]) -> list[str]:
    """The names of the datasets of which a unit's results tell what it answered."""
    return [*dict.fromkeys(v.variant for v in found if _can(v.technique).on_dataset)]


def follows_own_picture(lens: str) -> bool:
    """Whether the reader's own picture is asked for before this part of a unit's page."""
    return _can(lens).reader_picture


def result_to_cite(found: Sequence[Visualization]) -> Visualization | None:
    """The result of a unit whose recipe a citation names."""
    first = (v for v in found if is_default_tile(v.technique, v.variant))
    return next(first, found[0] if found else None)


def grid_query(lens: str, variant: str) -> Mapping[str, str]:
    """The query with which a node's grid shows a lens, or a view of the default lens."""
    view = next((v for v in DEFAULT.views if v.variant == variant), None)
    if lens not in ("", DEFAULT.technique):
        return {"lens": lens} if page_of(lens).tiles else {}
    usual = DEFAULT.views[0]
    found = {}
    if view and view.objective != usual.objective:
        found["objective"] = view.objective
    if view and view.sign != usual.sign:
        found["sign"] = view.sign
    return found
