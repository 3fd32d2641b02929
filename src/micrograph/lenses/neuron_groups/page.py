"""Neuron groups: the few patterns that a node's answer to a picture is made of."""

from dataclasses import dataclass

from micrograph.lenses.pages.base import Lens, Plugin, Scene, Shot, dicts, number, pairs
from micrograph.lenses.pages.maps import Heat, heat
from micrograph.lenses.pages.pictures import shot
from micrograph.lenses.pages.source import Source, source_of
from micrograph.parts.parts import Thumb

LENS = Lens(
    technique="neuron_groups",
    title="Neuron groups",
    question="Which groups of units explain a picture?",
    explanation=(
        "The activations of a picture are taken apart into a few groups of units that act "
        "together, each with a map of where, and a picture of what."
    ),
    reading="A group's map says where in the picture it acts, its picture what it stands for.",
    caution="How many groups there are was chosen, not found; another number cuts otherwise.",
    level="node",
)


@dataclass(frozen=True)
class Group:
    """One group: its map (0..1), its strongest units, and where its picture stands in the strip."""

    heat: Heat
    units: list[Thumb]
    strength: float


@dataclass(frozen=True)
class Groups:
    """One picture taken apart. `shot` is the strip of the groups' pictures, one row."""

    shot: Shot
    source: Source | None
    groups: list[Group]


@dataclass(frozen=True)
class NeuronGroups:
    """One entry per source picture."""

    technique: str
    form: str
    pictures: list[Groups]


def section(scene: Scene) -> NeuronGroups | None:
    found = []
    for v in scene.of(LENS.technique):
        groups = [
            Group(heat(g.get("map")), _units(scene, g), number(g.get("strength")))
            for g in dicts(v.data.get("groups"))
        ]
        made = shot(scene, v, v.variant.replace("-", " "), len(groups))
        if made:
            found.append(Groups(made, source_of(scene, v), groups))
    return NeuronGroups(LENS.technique, "neuron_groups", found) if found else None


def _units(scene: Scene, group: dict[str, object]) -> list[Thumb]:
    found = [
        scene.thumb(scene.node.id, unit)
        for unit, *_ in pairs(group.get("units"))[:8]
        if isinstance(unit, int)
    ]
    return [t for t in found if t]


PLUGIN = Plugin(LENS, section)
