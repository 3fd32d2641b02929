"""The picture that a result looked at, from the atlas."""

from dataclasses import dataclass

from micrograph.atlas.records import Visualization
from micrograph.lenses.pages.base import Scene
from micrograph.parts.parts import Image, image


@dataclass(frozen=True)
class Source:
    """A picture of a dataset: digest and number say which; `image` is None where it is not kept."""

    dataset: str
    number: int
    name: str
    image: Image | None


def source_of(scene: Scene, v: Visualization) -> Source | None:
    """What `data["source"]` of a result refers to; None where that is no [digest, number]."""
    given = v.data.get("source")
    if not (
        isinstance(given, list)
        and len(given) == 2
        and isinstance(given[0], str)
        and isinstance(given[1], int)
    ):
        return None
    sample = scene.samples(given[0], [given[1]]).get(given[1])
    if sample is None:
        return Source(given[0], given[1], v.variant, None)
    picture = image(scene.model, sample.picture, scene.urls) if sample.picture else None
    return Source(given[0], given[1], sample.name, picture)
