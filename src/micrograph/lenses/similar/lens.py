"""Similar units: whose weights, or whose answers, are alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Params, option
from micrograph.lenses.result import Arrays, Result, texts

if TYPE_CHECKING:
    import numpy as np

WORDS = Words(
    technique="similar",
    title="Similar units",
    question="Which units are most like it?",
    explanation=(
        "Units are compared by the pictures they fire on, here and in other models, and by the "
        "weights they read their input with."
    ),
    reading=(
        "Units that fire on the same pictures respond to the same things, even where their own "
        "pictures look different."
    ),
    caution="Alike on one dataset is not the same: another dataset may tell them apart.",
    score="mean cosine of the nearest",
)

VARIANTS = {
    "weights": "cosine of incoming weights, without biases",
    "outgoing": "cosine of outgoing weights",
}


@dataclass(frozen=True, kw_only=True)
class SimilarParams(Params, lens=WORDS.technique):
    """The options of similar units."""

    nearest: int = option(16, "similar units kept of each", unit="units", low=1, high=256)
    variants: tuple[str, ...] = option(
        ("weights",), "weights or outgoing", choices=tuple(VARIANTS), flag="--variant"
    )


@dataclass(frozen=True, kw_only=True)
class SimilarResult(Result):
    """The nearest others of each unit of a node: `near`, int32 [unit, k], -1 where there are fewer,
    and their cosines, float16 [unit, k]. `method` says of what. A node without comparable weights
    has a `reason` alone.
    """

    method: str = ""
    reason: str = ""
    near: "np.ndarray | None" = None
    cosine: "np.ndarray | None" = None

    def to_json(self) -> dict[str, Any]:
        return {"reason": self.reason} if self.reason else {"method": self.method}

    def arrays(self) -> Arrays:
        kept = {"near": self.near, "cosine": self.cosine}
        return {name: values for name, values in kept.items() if values is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "SimilarResult":
        return cls(
            method=texts(data, "method"),
            reason=texts(data, "reason"),
            near=arrays.get("near"),
            cosine=arrays.get("cosine"),
        )


LENS = Lens(
    words=WORDS,
    order=90,
    home=__package__,
    about="node",
    params=SimilarParams,
    result=SimilarResult,
    can=Can(whole_node=True, reader_picture=True),
)
