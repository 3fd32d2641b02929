"""DeepDream: a picture that excites a whole node."""

from dataclasses import dataclass

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Optimized, option
from micrograph.lenses.result import Result

WORDS = Words(
    technique="deepdream",
    title="DeepDream",
    question="What excites the whole node?",
    explanation=(
        "One picture drives all units of a node at once, each as far as it can: a first look at "
        "the kind of thing a layer is made of."
    ),
    reading="Read it as a texture of what the node responds to, not as an object.",
    caution="A few strong units can drown out hundreds of others.",
    level="node",
    score="mean square of the activations",
)
VARIANTS = ("node",)


@dataclass(frozen=True, kw_only=True)
class DeepDreamParams(Optimized, lens=WORDS.technique):
    """The options of DeepDream."""

    variants: tuple[str, ...] = option(
        VARIANTS, "the only view", choices=VARIANTS, flag="--variant"
    )


LENS = Lens(
    words=WORDS,
    order=110,
    home=__package__,
    params=DeepDreamParams,
    result=Result,
    can=Can(in_graph=True, scores_picture=True),
)
