"""DeepDream: a picture that excites a whole node."""

from micrograph.lenses.pages.base import Lens, Plugin
from micrograph.lenses.pages.pictures import pictures, plain

LENS = Lens(
    technique="deepdream",
    title="DeepDream",
    question="What excites the whole node?",
    explanation=(
        "One picture drives all units of a node at once, each as far as it can: a first look at "
        "the kind of thing a layer is made of."
    ),
    reading="Read it as a texture of the node's vocabulary, not as an object.",
    caution="Few strong units can outshout hundreds of others.",
    level="node",
)
PLUGIN = Plugin(LENS, pictures(LENS.technique, plain("DeepDream")))
