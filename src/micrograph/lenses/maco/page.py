"""MaCo: feature visualization with the spectrum of natural pictures."""

from micrograph.lenses.pages.base import Lens, Plugin
from micrograph.lenses.pages.pictures import named, pictures, plain, tiles

LENS = Lens(
    technique="maco",
    title="MaCo",
    question="What would excite it, if a picture had to have a photograph's spectrum?",
    explanation=(
        "Only the phases of the picture are free; how strong each frequency is stays what it is in "
        "photographs. So nothing can win by fine glitter alone."
    ),
    reading="Look for shapes and their arrangement; the fineness of detail is that of photographs.",
    caution="A spectrum is all that is natural about it: the picture is still an optimum.",
    under="feature_vis",
)
PLUGIN = Plugin(
    LENS,
    pictures(LENS.technique, plain("Natural spectrum (MaCo)")),
    named({"channel": "Whole channel"}),
    tiles(LENS.technique),
)
