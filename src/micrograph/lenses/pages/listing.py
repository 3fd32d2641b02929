"""The lenses the site can show, in the order in which a reader meets them.

A lens is one file here (its words, and how its results become part of a page) and, where it needs
more than pictures in a row, one template in `templates/lenses/`. Results of a technique without
words are shown all the same.
"""

from collections.abc import Iterable

from micrograph.lenses.activation_grid import page as activation_grid
from micrograph.lenses.attribution import page as attribution
from micrograph.lenses.caricature import page as caricature
from micrograph.lenses.dataset_examples import page as dataset_examples
from micrograph.lenses.deepdream import page as deepdream
from micrograph.lenses.diversity import page as diversity
from micrograph.lenses.faceted_feature_vis import page as faceted_feature_vis
from micrograph.lenses.feature_vis import page as feature_vis
from micrograph.lenses.joint import page as joint
from micrograph.lenses.maco import page as maco
from micrograph.lenses.neuron_groups import page as neuron_groups
from micrograph.lenses.pages import generic, pictures
from micrograph.lenses.pages.base import Lens, Option, Plugin, Scene, Shot, View
from micrograph.lenses.similar import page as similar
from micrograph.lenses.text_feature_vis import page as text_feature_vis
from micrograph.lenses.tuning import page as tuning
from micrograph.lenses.unit_map import page as unit_map

PLUGINS: dict[str, Plugin] = {
    module.PLUGIN.lens.technique: module.PLUGIN
    for module in (
        feature_vis,
        diversity,
        maco,
        faceted_feature_vis,
        joint,
        dataset_examples,
        tuning,
        text_feature_vis,
        attribution,
        similar,
        unit_map,
        deepdream,
        caricature,
        activation_grid,
        neuron_groups,
    )
}
LENSES: tuple[Lens, ...] = tuple(plugin.lens for plugin in PLUGINS.values())

Section = (
    feature_vis.FeatureVis
    | dataset_examples.DatasetExamples
    | tuning.Tuning
    | text_feature_vis.Text
    | attribution.Attribution
    | similar.SimilarUnits
    | caricature.OnPictures
    | neuron_groups.NeuronGroups
    | pictures.Pictures
    | generic.Generic
)
"""A part of a page: `technique` names the lens, `form` the template."""


def lens(technique: str) -> Lens:
    """The words of a technique; for one the site does not know, as much as its name says."""
    plugin = PLUGINS.get(technique)
    return plugin.lens if plugin else generic.words(technique)


def sections(scene: Scene, level: str) -> list[Section]:
    """The parts of a page, in reading order: the lenses of that level ("unit" or "node") that have
    something to show, then techniques without words."""
    found = []
    for plugin in PLUGINS.values():
        if plugin.lens.level == level and plugin.section:
            made = plugin.section(scene)
            found += [made] if made else []
    unknown = dict.fromkeys(v.technique for v in scene.found if v.technique not in PLUGINS)
    return found + [generic.section(scene, technique) for technique in unknown]


def absent(there: Iterable[str], level: str) -> list[Lens]:
    """The lenses of a level that have nothing to show among the techniques that are `there`."""
    known = set(there)
    return [one for one in LENSES if one.level == level and one.technique not in known]


__all__ = [
    "LENSES",
    "PLUGINS",
    "Lens",
    "Option",
    "Plugin",
    "Scene",
    "Section",
    "Shot",
    "View",
    "absent",
    "lens",
    "sections",
]
