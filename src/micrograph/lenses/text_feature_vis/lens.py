"""Text feature visualization: the words that fit a unit best."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Params, option, pictures_option
from micrograph.lenses.result import Arrays, Result, number, pairs

WORDS = Words(
    technique="text_feature_vis",
    title="Text",
    question="Which words does it stand for?",
    explanation=(
        "Models that read pictures and captions have units that words excite, too. Texts are "
        "searched for by trying out one change after the other."
    ),
    reading="Look at what the texts have in common; each comes with how strongly it fits.",
    caution="The best text is an optimum like any picture: it need not be a sentence.",
    score="cosine",
)

VARIANTS = ("search",)


@dataclass(frozen=True, kw_only=True)
class TextParams(Params, lens=WORDS.technique):
    """The options of the search for texts."""

    steps: int = option(30, "rounds of changes to a text", unit="steps", low=1, high=10_000)
    proposals: int = option(32, "changed texts in each round", low=1, high=4096)
    restarts: int = option(6, "texts that the search begins with", low=1, high=256)
    length: int = option(12, "of a text at most", unit="words", low=1)
    penalty: float | None = option(
        None,
        "weight of a text's surprise",
        low=0.0,
        high=1.0,
        shown="0.005 where the tower has a language model, else 0",
    )
    inputs: int = option(
        32, "toytown scenes over which the path is averaged", unit="scenes", low=1, high=4096
    )
    images: tuple[str, ...] = pictures_option(())
    seed: int = option(0, "random seed", low=0, high=2**31 - 1)
    variants: tuple[str, ...] = option(
        VARIANTS, "the only view", choices=VARIANTS, flag="--variant"
    )


@dataclass(frozen=True, kw_only=True)
class TextResult(Result):
    """`texts` that the search ended at, `tokens` and `least`: the single words that fit best and
    worst; each a cosine and a text, best first (`least`: worst first). `count` words were ranked;
    their cosines have this `mean` and standard deviation `sd`.
    """

    texts: tuple[tuple[float, str], ...] = ()
    tokens: tuple[tuple[float, str], ...] = ()
    least: tuple[tuple[float, str], ...] = ()
    count: int = 0
    mean: float = 0.0
    sd: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "texts": [list(pair) for pair in self.texts],
            "tokens": [list(pair) for pair in self.tokens],
            "least": [list(pair) for pair in self.least],
            "all_tokens": {"count": self.count, "mean": self.mean, "sd": self.sd},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "TextResult":
        about = data.get("all_tokens")
        every: dict[str, Any] = about if isinstance(about, dict) else {}
        ranked = every.get("count")
        return cls(
            texts=_scored(data.get("texts")),
            tokens=_scored(data.get("tokens")),
            least=_scored(data.get("least")),
            count=ranked if isinstance(ranked, int) else 0,
            mean=number(every.get("mean")),
            sd=number(every.get("sd")),
        )


def _scored(given: Any) -> tuple[tuple[float, str], ...]:
    return tuple((number(s), t[:300]) for s, t, *_ in pairs(given) if isinstance(t, str))


LENS = Lens(
    words=WORDS,
    order=70,
    home=__package__,
    params=TextParams,
    result=TextResult,
    can=Can(needs_text=True),
)
