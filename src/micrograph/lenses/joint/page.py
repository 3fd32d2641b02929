"""Joint optimization: from one unit over both to another."""

from micrograph.atlas.records import Visualization
from micrograph.lenses.pages.base import Lens, Plugin
from micrograph.lenses.pages.pictures import pictures

LENS = Lens(
    technique="joint",
    title="Two units together",
    question="What do two units make of each other?",
    explanation=(
        "One picture excites two units at once, with weights that go from one to the other: how "
        "units speak together is seldom the sum of the two."
    ),
    reading="From left to right the weight moves from this unit to the other; the middle has both.",
    caution="A mixture may show a compromise that no picture of the world contains.",
    under="feature_vis",
    options="-o partner=<node:unit>",
)


def _caption(v: Visualization) -> str:
    partner = v.data.get("partner")
    if isinstance(partner, list) and len(partner) == 2:
        return f"From this unit to {partner[0]}/{partner[1]}"
    return f"Together {v.variant.replace('-', ' ')}"


PLUGIN = Plugin(LENS, pictures(LENS.technique, _caption))
