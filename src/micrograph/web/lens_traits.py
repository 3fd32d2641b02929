"""What the site knows of particular lenses, and of no other place: each a property that a lens
should be asked for by name."""

from collections.abc import Mapping, Sequence

from micrograph.atlas.records import Visualization
from micrograph.lenses.caricature.page import OnPictures
from micrograph.lenses.neuron_groups.page import NeuronGroups
from micrograph.lenses.pages.listing import LENSES, PLUGINS, Lens, View

DEFAULT: Lens = LENSES[0]
"""The lens whose pictures stand for units wherever nothing else is asked for. A unit's page begins
with it, also where nothing is rendered; `micrograph render` without a technique makes its
results."""

MAP = "unit_map"
"""The lens that puts a map in the place of a node's grid and of a model's graph."""

IN_GRAPH = ("deepdream", "caricature", "activation_grid")
"""Lenses of nodes whose picture can stand in the nodes of a model's graph."""

BY_PICTURE = ("caricature", "activation_grid")
"""Of these the ones whose variant is the name of the picture they looked at."""

EXAMPLES = "dataset_examples"
"""The lens whose tiles stand for units that have no picture of their own beside those of another
model, and whose whole-node results hold what units answered to a dataset."""

_NEED_TEXT = ("text_feature_vis", "faceted_feature_vis")
"""Lenses that only models with a tower for text can have."""

_AFTER_OWN_PICTURE = "similar"
"""The lens before which a unit's page asks for a picture of the reader's own."""

_VARIANT_WORDS = {
    "dataset_examples": "Dataset",
    "tuning": "Family",
    "faceted_feature_vis": "Theme",
}


def is_default_tile(technique: str, variant: str) -> bool:
    """Whether results of that kind are the pictures that stand for units."""
    return (technique, variant) == (DEFAULT.technique, DEFAULT.views[0].variant)


def default_view(objective: str, sign: str) -> View:
    """The view of the default lens that an objective and a sign name."""
    return next(v for v in DEFAULT.views if (v.objective, v.sign) == (objective, sign))


def tiled() -> list[str]:
    """The lenses that can make the grid of a node's page, or stand in its place."""
    return [*(name for name, plugin in PLUGINS.items() if plugin.tiles), MAP]


def is_in_doubt(technique: str, there: Sequence[str]) -> bool:
    """Whether nobody knows that a model can have the lens: it needs a tower for text, and the
    model has no results of it so far."""
    return technique in _NEED_TEXT and technique not in there


def variant_word(technique: str) -> str:
    """What a reader calls the variants of a lens as the tile of a grid."""
    return _VARIANT_WORDS.get(technique, "View")


def source_names(section: object) -> list[str]:
    """The names of the pictures that a part of a node's page looked at; of such parts one picture
    is shown at a time."""
    if isinstance(section, OnPictures | NeuronGroups):
        return [one.shot.variant for one in section.pictures]
    return []


def follows_own_picture(technique: str) -> bool:
    """Whether the reader's own picture is asked for before this part of a unit's page."""
    return technique == _AFTER_OWN_PICTURE


def cited(found: Sequence[Visualization]) -> Visualization | None:
    """Of a unit's results the one whose recipe a citation names."""
    first = (v for v in found if is_default_tile(v.technique, v.variant))
    return next(first, found[0] if found else None)


def grid_query(technique: str, variant: str) -> Mapping[str, str]:
    """The query with which a node's grid shows a lens, or a view of the default lens."""
    view = next((v for v in DEFAULT.views if v.variant == variant), None)
    if technique not in ("", DEFAULT.technique):
        plugin = PLUGINS.get(technique)
        return {"lens": technique} if plugin and plugin.tiles else {}
    usual = DEFAULT.views[0]
    found = {}
    if view and view.objective != usual.objective:
        found["objective"] = view.objective
    if view and view.sign != usual.sign:
        found["sign"] = view.sign
    return found
