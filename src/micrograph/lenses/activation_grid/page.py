"""Activation grid: what a node makes of each place of a picture."""

from micrograph.lenses.caricature.page import on_pictures
from micrograph.lenses.pages.base import Lens, Plugin

LENS = Lens(
    technique="activation_grid",
    title="Activation grid",
    question="What does the node see at each place of a picture?",
    explanation=(
        "At every position of the node's map all its units together are one direction. A small "
        "picture of that direction stands where the position is."
    ),
    reading="Lay it beside the source picture: each cell shows what its place was to the node.",
    caution="A cell shows a mixture of units; single units need not look like it.",
    level="node",
)
PLUGIN = Plugin(LENS, lambda scene: on_pictures(scene, LENS.technique))
