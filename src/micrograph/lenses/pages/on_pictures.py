"""Lenses whose result is a picture of a node beside the picture that it looked at."""

from collections.abc import Callable
from dataclasses import dataclass

from micrograph.lenses.contract import Lens
from micrograph.lenses.pages.pictures import shot
from micrograph.lenses.pages.scene import Scene, Shot
from micrograph.lenses.pages.source import Source, source_of
from micrograph.lenses.result import OnePicture


@dataclass(frozen=True)
class OnPicture:
    """A node-level picture beside the picture it looked at."""

    shot: Shot
    source: Source | None


@dataclass(frozen=True)
class OnPictures:
    """The results of one lens, one per source picture."""

    technique: str
    form: str
    pictures: list[OnPicture]


def on_pictures(lens: Lens) -> Callable[[Scene], OnPictures | None]:
    """The section of a lens that gives one picture of a node for each picture it looked at."""

    def section(scene: Scene) -> OnPictures | None:
        found = []
        for v, result in scene.results(lens.name, lens.result):
            made = shot(scene, v, v.variant.replace("-", " "))
            if made and isinstance(result, OnePicture):
                found.append(OnPicture(made, source_of(scene, v, result.source)))
        return OnPictures(lens.name, "on_pictures", found) if found else None

    return section
