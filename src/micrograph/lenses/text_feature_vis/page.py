"""Text feature visualization: the words that fit a unit best."""

from dataclasses import dataclass
from typing import Any

from micrograph.lenses.pages.base import Lens, Plugin, Scene, number, pairs

LENS = Lens(
    technique="text_feature_vis",
    title="Text",
    question="Which words does it stand for?",
    explanation=(
        "Models that read pictures and captions have units that words excite, too. Texts are "
        "searched for by trying out one change after the other."
    ),
    reading="Look at what the texts have in common; each comes with how strongly it fits.",
    caution="The best text is an optimum like any picture: it need not be a sentence.",
)


@dataclass(frozen=True)
class Scored:
    """A text or word and how well it fits."""

    text: str
    score: float


@dataclass(frozen=True)
class Text:
    """The best texts that a search found, and the best single words, best first."""

    technique: str
    form: str
    words: list[Scored]
    tokens: list[Scored]


def section(scene: Scene) -> Text | None:
    for v in scene.of(LENS.technique):
        texts, tokens = _scored(v.data.get("texts")), _scored(v.data.get("tokens"))
        if texts or tokens:
            return Text(LENS.technique, "text_feature_vis", texts[:16], tokens[:24])
    return None


def _scored(given: Any) -> list[Scored]:
    found = [Scored(t[:300], number(s)) for s, t, *_ in pairs(given) if isinstance(t, str)]
    return sorted(found, key=lambda item: -item.score)


PLUGIN = Plugin(LENS, section)
