"""Neuron groups as a part of a node's page."""

from dataclasses import dataclass

from micrograph.lenses.neuron_groups.lens import LENS, GroupOfUnits, NeuronGroupsResult
from micrograph.lenses.pages.maps import Heat, heat
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import shot
from micrograph.lenses.pages.scene import Scene, Shot
from micrograph.lenses.pages.source import Source, source_of
from micrograph.parts.parts import Thumb


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
    for v, result in scene.results(LENS.name, NeuronGroupsResult):
        made = shot(scene, v, v.variant.replace("-", " "), len(result.groups))
        if made:
            groups = [
                Group(heat(group.map), _units(scene, group), group.strength)
                for group in result.groups
            ]
            found.append(Groups(made, source_of(scene, v, result.source), groups))
    return NeuronGroups(LENS.name, "neuron_groups", found) if found else None


def _units(scene: Scene, group: GroupOfUnits) -> list[Thumb]:
    found = [scene.thumb(scene.node.id, unit) for unit, _ in group.units]
    return [t for t in found if t]


PAGE = LensPage(part=NeuronGroups, section=section)
