"""Prototypes as a part of a unit's page, and as the tiles of a node's."""

from dataclasses import dataclass

from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import named, shot, tiles
from micrograph.lenses.pages.scene import Scene, Shot
from micrograph.lenses.prototype.lens import LENS, PrototypeResult


@dataclass(frozen=True)
class PrototypePicture:
    """A picture, or none with the `reason`; `dataset` is that of its examples, `count` their
    number, `typical` the unit's mean activation on them. `nodes` were matched, each with how far it
    is from them."""

    dataset: str
    shot: Shot | None
    reason: str
    count: int
    typical: float
    nodes: list[tuple[str, float]]


@dataclass(frozen=True)
class Prototypes:
    """The prototypes of a unit by dataset and seed."""

    technique: str
    form: str
    pictures: list[PrototypePicture]


def section(scene: Scene) -> Prototypes | None:
    """None where there is none of the unit."""
    found = []
    for v, result in scene.results(LENS.name, PrototypeResult):
        made = shot(scene, v, f"Like its examples in {v.variant}")
        if made or result.reason:
            nodes = [(name, apart) for name, apart in result.nodes if name in scene.atlas.nodes]
            found.append(
                PrototypePicture(
                    v.variant, made, result.reason, len(result.examples), result.typical, nodes
                )
            )
    return Prototypes(LENS.name, "prototype", found) if found else None


PAGE = LensPage(part=Prototypes, section=section, variants=named(), tiles=tiles(LENS.name))
