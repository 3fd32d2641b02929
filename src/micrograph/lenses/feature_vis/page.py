"""Feature visualization: the picture that excites a unit most."""

from dataclasses import dataclass

from micrograph.lenses.feature_vis.quality import Quality, qualities
from micrograph.lenses.pages.base import Lens, Plugin, Scene, Shot, View
from micrograph.lenses.pages.pictures import shot, tiles

LENS = Lens(
    technique="feature_vis",
    title="Feature visualization",
    question="What would excite it most?",
    explanation=(
        "Start from noise and change the picture, step by step, so that one unit answers "
        "more and more strongly. What remains is a portrait of what the unit looks for."
    ),
    reading=(
        "Look for the pattern that repeats across the picture: that is what the unit looks for."
    ),
    caution=(
        "It is the extreme, not the everyday: no photograph looks like this, and a unit with "
        "several meanings may show only one of them."
    ),
    views=(
        View(
            "channel",
            "channel",
            "positive",
            "Whole channel",
            "excites the unit at every position of its map",
        ),
        View(
            "neuron",
            "neuron",
            "positive",
            "Centre neuron",
            "excites the unit at the central position only",
        ),
        View(
            "channel-negative",
            "channel",
            "negative",
            "Whole channel, negative",
            "silences the unit at every position of its map",
        ),
        View(
            "neuron-negative",
            "neuron",
            "negative",
            "Centre neuron, negative",
            "silences the unit at the central position only",
        ),
    ),
)


@dataclass(frozen=True)
class Group:
    """A view with its pictures, one per seed; the first is the one shown large, and `quality` says
    how far it can be trusted."""

    view: View
    shots: list[Shot]
    quality: Quality | None


@dataclass(frozen=True)
class FeatureVis:
    """The pictures by view; `further` are those of other variants (a position, transparency)."""

    technique: str
    form: str
    groups: list[Group]
    further: list[Shot]
    absent: list[View]


def section(scene: Scene) -> FeatureVis:
    """There also where nothing is rendered: a unit's page begins with this question."""
    by_variant: dict[str, list[Shot]] = {}
    for v in scene.of(LENS.technique):
        made = shot(scene, v, _title(v.variant))
        if made:
            by_variant.setdefault(v.variant, []).append(made)
    measured = qualities(scene.found)
    groups = [
        Group(view, by_variant.pop(view.variant), measured.get(view.variant))
        for view in LENS.views
        if view.variant in by_variant
    ]
    there = {group.view.variant for group in groups}
    return FeatureVis(
        LENS.technique,
        "feature_vis",
        groups,
        [s for shots in by_variant.values() for s in shots],
        [view for view in LENS.views if view.variant not in there],
    )


def _title(variant: str) -> str:
    """A caption: "neuron-at-2-7" is "Neuron at row 2, column 7"."""
    known = next((view.title for view in LENS.views if view.variant == variant), "")
    at = variant.removeprefix("neuron-at-").split("-")
    if not known and variant.startswith("neuron-at-") and len(at) == 2:
        return f"Neuron at row {at[0]}, column {at[1]}"
    return known or {"alpha": "With transparency"}.get(variant, variant.replace("-", " "))


PLUGIN = Plugin(LENS, section, None, tiles(LENS.technique))
