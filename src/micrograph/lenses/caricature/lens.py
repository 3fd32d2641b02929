"""Caricature: a picture, exaggerated by what a node makes of it."""

from dataclasses import dataclass

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import REPEATS, PictureParams, option, pictures_option
from micrograph.lenses.result import OnePicture

WORDS = Words(
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
    score="likeness of the activations (cosine)",
)


@dataclass(frozen=True, kw_only=True)
class CaricatureParams(PictureParams, lens=WORDS.technique):
    """The options of caricature. Its pictures have the size of the network's input."""

    images: tuple[str, ...] = pictures_option(())
    seed: int = option(0, "random seed of the first picture", low=0, high=2**31 - 1)
    repeats: int = option(1, "pictures of each, seeds counting up", low=1, high=REPEATS)
    cosine_power: float = option(1.0, "a larger one keeps closer to the source", low=0.0, high=16.0)


LENS = Lens(
    words=WORDS,
    order=120,
    home=__package__,
    params=CaricatureParams,
    result=OnePicture,
    can=Can(on_pictures=True, in_graph=True, scores_picture=True),
)
