"""A lens that the site has no words for: its pictures, and the keys of its data."""

from dataclasses import dataclass

from micrograph.lenses.contract import Words
from micrograph.lenses.pages.pictures import shot
from micrograph.lenses.pages.scene import Scene, Shot


@dataclass(frozen=True)
class Generic:
    """The pictures of an unknown lens and the keys of its data, by variant."""

    technique: str
    form: str
    shots: list[Shot]
    data: dict[str, list[str]]


def words(lens: str) -> Words:
    """What can be said of a lens from its name alone."""
    title = lens.replace("_", " ").capitalize()
    return Words(
        lens,
        title,
        title,
        "A technique of another package, shown as it comes.",
        "The package that made it says how to read it.",
        "",
    )


def section(scene: Scene, lens: str) -> Generic:
    results = scene.of(lens)
    shots = [shot(scene, v, v.variant.replace("-", " ")) for v in results]
    data = {v.variant: sorted(str(key)[:60] for key in v.data)[:40] for v in results if v.data}
    return Generic(lens, "generic", [s for s in shots if s], data)
