"""Feature visualization as the first part of a unit's page."""

from dataclasses import dataclass

from micrograph.lenses.contract import View
from micrograph.lenses.feature_vis.lens import LENS
from micrograph.lenses.feature_vis.quality import Quality, qualities
from micrograph.lenses.pages.coverage import coverage_of
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import shot, tiles
from micrograph.lenses.pages.scene import Scene, Shot


@dataclass(frozen=True)
class ViewGroup:
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
    groups: list[ViewGroup]
    further: list[Shot]
    absent: list[View]


def section(scene: Scene) -> FeatureVis:
    """There also where nothing is rendered: a unit's page begins with this question."""
    by_variant: dict[str, list[Shot]] = {}
    for v in scene.of(LENS.name):
        made = shot(scene, v, _title(v.variant))
        if made:
            by_variant.setdefault(v.variant, []).append(made)
    known = {digest: coverage_of(scene.atlas, one) for digest, one in scene.datasets.items()}
    measured = qualities(scene.found, {d: one.said for d, one in known.items() if one.foreign})
    groups = [
        ViewGroup(view, by_variant.pop(view.variant), measured.get(view.variant))
        for view in LENS.words.views
        if view.variant in by_variant
    ]
    there = {group.view.variant for group in groups}
    return FeatureVis(
        LENS.name,
        "feature_vis",
        groups,
        [s for shots in by_variant.values() for s in shots],
        [view for view in LENS.words.views if view.variant not in there],
    )


def _title(variant: str) -> str:
    """A caption: "neuron-at-2-7" is "Neuron at row 2, column 7"."""
    known = next((view.title for view in LENS.words.views if view.variant == variant), "")
    at = variant.removeprefix("neuron-at-").split("-")
    if not known and variant.startswith("neuron-at-") and len(at) == 2:
        return f"Neuron at row {at[0]}, column {at[1]}"
    return known or {"alpha": "With transparency"}.get(variant, variant.replace("-", " "))


PAGE = LensPage(part=FeatureVis, section=section, tiles=tiles(LENS.name))
