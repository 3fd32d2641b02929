"""Diversity: several pictures of one unit that must differ from each other."""

from micrograph.lenses.pages.base import Lens, Plugin
from micrograph.lenses.pages.pictures import named, pictures, plain, tiles

LENS = Lens(
    technique="diversity",
    title="Diversity",
    question="What else would excite it?",
    explanation=(
        "Several pictures of one unit are made together and pushed apart in style, so that a unit "
        "with several meanings shows more than the strongest."
    ),
    reading="What all facets share is what the unit needs; where they differ it does not care.",
    caution="The push apart can force differences that mean nothing: compare the facets' scores.",
    under="feature_vis",
)
PLUGIN = Plugin(
    LENS,
    pictures(LENS.technique, plain("Facets")),
    named({"facets": "Facets"}),
    tiles(LENS.technique),
)
