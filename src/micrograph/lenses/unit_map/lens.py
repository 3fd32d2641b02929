"""Map of units: what fires on the same pictures lies close together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Params, option
from micrograph.lenses.result import Arrays, Result, texts

if TYPE_CHECKING:
    import numpy as np

WORDS = Words(
    technique="unit_map",
    title="Map of units",
    question="Which units are alike?",
    explanation=(
        "All units are laid out in two dimensions so that units which fire on the same pictures "
        "lie close together."
    ),
    reading="Units that lie close together are alike. Every picture leads to its unit.",
    caution="Only closeness counts: how far apart two distant groups lie says nothing.",
    level="node",
    score="how much more alike neighbours are",
)

VARIANTS = ("node", "model")
FEWEST = 16
"""Pictures without which profiles are chance."""


@dataclass(frozen=True, kw_only=True)
class UnitMapParams(Params, lens=WORDS.technique):
    """The options of maps of units."""

    dataset: str = option("toytown", "pictures to look at: toytown, a folder, TAR shards")
    pictures: int = option(512, "of the dataset, about", unit="pictures", low=FEWEST, high=100_000)
    seed: int = option(0, "random seed", low=0, high=2**31 - 1)
    variants: tuple[str, ...] = option(
        VARIANTS, "of each node, or of the model", choices=VARIANTS, flag="--variant"
    )


@dataclass(frozen=True, kw_only=True)
class UnitMapResult(Result):
    """The places of a node's units, `xy` float32 [unit, 2] in 0..1 from the top left.

    `columns` cells lie along the map's side (0: unknown). `together` are the nodes that were laid
    out as one map (None where that is not said). `near` and `random` are the mean correlations of
    neighbours and of any two units, `trustworthiness` the share of neighbours that are true; None
    where they were not measured. `method` is in words, `pictures` of `dataset` were looked at.
    """

    method: str = ""
    dataset: str = ""
    pictures: int = 0
    columns: int = 0
    together: tuple[str, ...] | None = None
    trustworthiness: float | None = None
    near: float | None = None
    random: float | None = None
    xy: "np.ndarray | None" = None

    def to_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "dataset": self.dataset,
            "pictures": self.pictures,
            "columns": self.columns,
            "together": list(self.together or ()),
            "trustworthiness": self.trustworthiness,
            "near": self.near,
            "random": self.random,
        }

    def arrays(self) -> Arrays:
        return {} if self.xy is None else {"xy": self.xy}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "UnitMapResult":
        columns, together, pictures = (data.get(k) for k in ("columns", "together", "pictures"))
        known = isinstance(columns, int) and 1 <= columns <= 10_000
        return cls(
            method=str(data.get("method", "")),
            dataset=texts(data, "dataset"),
            pictures=pictures if isinstance(pictures, int) else 0,
            columns=columns if known and isinstance(columns, int) else 0,
            together=tuple(map(str, together)) if isinstance(together, list) else None,
            trustworthiness=_measured(data.get("trustworthiness")),
            near=_measured(data.get("near")),
            random=_measured(data.get("random")),
            xy=arrays.get("xy"),
        )


def _measured(value: Any) -> float | None:
    return value if isinstance(value, float) else None


LENS = Lens(
    words=WORDS,
    order=100,
    home=__package__,
    params=UnitMapParams,
    result=UnitMapResult,
    can=Can(whole_node=True, replaces_grid=True),
)
