"""The picture that a result looked at, from the atlas."""

from dataclasses import dataclass

from micrograph.atlas.records import Visualization
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Image, image


@dataclass(frozen=True)
class Source:
    """A picture of a dataset: digest and number say which; `image` is None where it is not kept."""

    dataset: str
    number: int
    name: str
    image: Image | None


def source_of(scene: Scene, v: Visualization, given: tuple[str, int] | None) -> Source | None:
    """The picture that a result looked at, `given` by digest and number; None where it is not."""
    if given is None:
        return None
    dataset, number = given
    sample = scene.samples(dataset, [number]).get(number)
    if sample is None:
        return Source(dataset, number, v.variant, None)
    picture = image(scene.model, sample.picture, scene.urls) if sample.picture else None
    return Source(dataset, number, sample.name, picture)
