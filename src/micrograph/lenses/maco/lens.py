"""MaCo: feature visualization with the spectrum of natural pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import REPEATS, Params, option
from micrograph.lenses.result import Arrays, Result

if TYPE_CHECKING:
    from typing import Any

    import numpy as np

WORDS = Words(
    technique="maco",
    title="MaCo",
    question="What would excite it, if a picture had to have a photograph's spectrum?",
    explanation=(
        "Only the phases of the picture are free; how strong each frequency is stays what it is in "
        "photographs. So nothing can win by fine glitter alone."
    ),
    reading="Look for shapes and their arrangement; the fineness of detail is that of photographs.",
    caution="Only its spectrum is natural: the picture is still an optimum, no photograph.",
    under="feature_vis",
    score="mean activation",
)

VARIANTS = ("channel",)
PRESETS = ("draft", "standard", "microscope")


@dataclass(frozen=True, kw_only=True)
class MacoParams(Params, lens=WORDS.technique):
    """The options of MaCo."""

    preset: str = option(
        "standard", "how thorough: draft, standard or microscope (the paper's)", choices=PRESETS
    )
    steps: int | None = option(
        None, "gradient steps", unit="steps", low=1, high=100_000, shown="the preset's"
    )
    size: int | None = option(
        None,
        "side of the pictures",
        unit="px",
        low=16,
        high=4096,
        shown="16/7 of the network's input",
    )
    crops: int | None = option(
        None, "crops looked at in every step", unit="crops", low=1, high=256, shown="the preset's"
    )
    seed: int = option(0, "random seed of the first picture", low=0, high=2**31 - 1)
    repeats: int = option(1, "pictures of each, seeds counting up", low=1, high=REPEATS)
    variants: tuple[str, ...] = option(
        VARIANTS, "the only view", choices=VARIANTS, flag="--variant"
    )


@dataclass(frozen=True, kw_only=True)
class MacoResult(Result):
    """The picture is faded to grey where it mattered little: `alpha`, uint8 [y, x], is its
    opacity."""

    alpha: "np.ndarray | None" = None

    def arrays(self) -> Arrays:
        return {} if self.alpha is None else {"alpha": self.alpha}

    @classmethod
    def from_json(cls, data: "Mapping[str, Any]", arrays: Arrays) -> "MacoResult":
        return cls(alpha=arrays.get("alpha"))


LENS = Lens(
    words=WORDS,
    order=20,
    home=__package__,
    params=MacoParams,
    result=MacoResult,
    can=Can(scores_picture=True),
)
