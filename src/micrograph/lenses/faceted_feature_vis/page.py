"""Faceted feature visualization: pictures of a unit steered to themes."""

from micrograph.lenses.pages.base import Lens, Plugin
from micrograph.lenses.pages.pictures import named, pictures, tiles

LENS = Lens(
    technique="faceted_feature_vis",
    title="Facets by theme",
    question="What would excite it within a theme?",
    explanation=(
        "The picture excites the unit and at the same time leans towards a theme, such as a "
        "vehicle or a building, that a linear probe has learned."
    ),
    reading="Compare the themes: what stays is the unit's own, what changes is the theme's.",
    caution="A theme can be forced on a unit that has nothing to do with it: look at the scores.",
    under="feature_vis",
)
PLUGIN = Plugin(
    LENS,
    pictures(LENS.technique, lambda v: f"Theme: {v.variant.replace('-', ' ')}"),
    named(),
    tiles(LENS.technique),
)
