"""Feature accentuation as a part of a unit's page."""

from dataclasses import dataclass

from micrograph.lenses.accentuate.lens import LENS, AccentuateResult
from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.pictures import shot
from micrograph.lenses.pages.scene import Scene, Shot
from micrograph.lenses.pages.source import Source, source_of


@dataclass(frozen=True)
class AccentuatedPicture:
    """A picture before and after, under its `name`: the unit's mean activation on the source,
    `before`, and by how much the lower node `below` sees another picture, as a share, `moved`."""

    name: str
    shot: Shot
    source: Source | None
    before: float
    below: str
    moved: float


@dataclass(frozen=True)
class AccentuatedPictures:
    """One entry for each picture that was accentuated."""

    technique: str
    form: str
    pictures: list[AccentuatedPicture]


def section(scene: Scene) -> AccentuatedPictures | None:
    """None where nothing was accentuated for the unit."""
    found = []
    for v, result in scene.results(LENS.name, AccentuateResult):
        name = v.variant.replace("-", " ").capitalize()
        made = shot(scene, v, f"{name}, accentuated")
        if made:
            before = source_of(scene, v, result.source)
            below = result.below if result.below in scene.atlas.nodes else ""
            found.append(AccentuatedPicture(name, made, before, result.before, below, result.moved))
    return AccentuatedPictures(LENS.name, "accentuate", found) if found else None


PAGE = LensPage(part=AccentuatedPictures, section=section)
