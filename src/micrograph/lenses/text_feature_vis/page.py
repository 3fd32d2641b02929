"""Texts as a part of a unit's page."""

from collections.abc import Sequence
from dataclasses import dataclass

from micrograph.lenses.pages.page import LensPage
from micrograph.lenses.pages.scene import Scene
from micrograph.lenses.text_feature_vis.lens import LENS, TextResult


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
    for _, result in scene.results(LENS.name, TextResult):
        texts, tokens = _best_first(result.texts), _best_first(result.tokens)
        if texts or tokens:
            return Text(LENS.name, "text_feature_vis", texts[:16], tokens[:24])
    return None


def _best_first(given: Sequence[tuple[float, str]]) -> list[Scored]:
    return sorted((Scored(text, score) for score, text in given), key=lambda item: -item.score)


PAGE = LensPage(part=Text, section=section)
