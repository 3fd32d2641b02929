"""Map of units: what fires on the same pictures lies close together."""

from micrograph.lenses.pages.base import Lens, Plugin

LENS = Lens(
    technique="unit_map",
    title="Map of units",
    question="Which units are alike?",
    explanation=(
        "All units are laid out in two dimensions so that units which fire on the same pictures "
        "lie close together."
    ),
    reading="Neighbours are alike. Move and zoom; every picture leads to its unit.",
    caution="Closeness is kept, distance is not: how far apart two islands lie says nothing.",
    level="node",
)
PLUGIN = Plugin(LENS, sweep=True)
