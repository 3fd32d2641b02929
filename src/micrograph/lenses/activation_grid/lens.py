"""Activation grid: what a node makes of each place of a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import PictureParams, option
from micrograph.lenses.result import Arrays, OnePicture, count, number, source

WORDS = Words(
    technique="activation_grid",
    title="Activation grid",
    question="What does the node see at each place of a picture?",
    explanation=(
        "At every position of the node's map all its units together are one direction. A small "
        "picture of that direction stands where the position is."
    ),
    reading="Compare with the source picture: each cell shows what the node made of its place.",
    caution="A cell shows a mixture of units; single units need not look like it.",
    level="node",
    score="mean length of the activations",
)


@dataclass(frozen=True, kw_only=True)
class ActivationGridParams(PictureParams, lens=WORDS.technique):
    """The options of activation grids."""

    size: int | None = option(
        None, "side of what is optimized for a cell", unit="px", shown="the preset's"
    )
    cosine_power: float = option(
        1.0, "a larger one keeps closer to the direction", low=0.0, high=10.0
    )


@dataclass(frozen=True, kw_only=True)
class ActivationGridResult(OnePicture):
    """A mosaic of `rows` times `columns` cells; `norms` [row][column] are the lengths of their
    activation vectors."""

    rows: int = 1
    columns: int = 1
    norms: tuple[tuple[float, ...], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "columns": self.columns,
            "norms": [list(row) for row in self.norms],
            **super().to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "ActivationGridResult":
        rows = data.get("norms")
        lists = [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
        return cls(
            rows=count(data.get("rows")),
            columns=count(data.get("columns")),
            norms=tuple(tuple(number(v) for v in row) for row in lists),
            source=source(data.get("source")),
        )


LENS = Lens(
    words=WORDS,
    order=130,
    home=__package__,
    params=ActivationGridParams,
    result=ActivationGridResult,
    can=Can(on_pictures=True, in_graph=True),
)
