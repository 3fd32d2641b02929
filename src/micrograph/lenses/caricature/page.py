"""Caricature: a picture, exaggerated by what a node makes of it."""

from dataclasses import dataclass

from micrograph.lenses.pages.base import Lens, Plugin, Scene, Shot
from micrograph.lenses.pages.pictures import shot
from micrograph.lenses.pages.source import Source, source_of

LENS = Lens(
    technique="caricature",
    title="Caricature",
    question="What does the node see in a picture?",
    explanation=(
        "A new picture is made whose activations point the same way as those of a given picture, "
        "only stronger: what the node notices grows, what it ignores is lost."
    ),
    reading="Compare with the source picture: what is exaggerated is what this node works with.",
    caution="What is missing was not necessarily unseen; it only counts less in the sum.",
    level="node",
)


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


def on_pictures(scene: Scene, technique: str) -> OnPictures | None:
    """Every result of a lens that looks at pictures, with those pictures."""
    found = []
    for v in scene.of(technique):
        made = shot(scene, v, v.variant.replace("-", " "))
        if made:
            found.append(OnPicture(made, source_of(scene, v)))
    return OnPictures(technique, "on_pictures", found) if found else None


PLUGIN = Plugin(LENS, lambda scene: on_pictures(scene, LENS.technique))
