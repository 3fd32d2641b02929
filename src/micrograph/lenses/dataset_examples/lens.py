"""Dataset examples: the pictures of a dataset that a unit fires on, from strongest to weakest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from micrograph.lenses.contract import Can, Lens, Words
from micrograph.lenses.params import Params, option
from micrograph.lenses.result import Arrays, Result, dicts, number, pairs, texts

if TYPE_CHECKING:
    import numpy as np

WORDS = Words(
    technique="dataset_examples",
    title="Dataset examples",
    question="Which pictures of a dataset does it fire on?",
    explanation=(
        "Every picture of a dataset is shown to the network once, and for each unit those that "
        "activate it most, least and in between are kept."
    ),
    reading=(
        "Each tile is what the unit could see where it fired. Compare the strongest with the bands "
        "below, where most of its activations lie."
    ),
    caution="A dataset can only show what is in it, and the top alone makes any unit look clear.",
    options="--dataset 'a folder of pictures'",
    score="largest activation",
)


@dataclass(frozen=True, kw_only=True)
class ExamplesParams(Params, lens=WORDS.technique):
    """The options of dataset examples."""

    dataset: str = option("toytown", "pictures to look at: toytown, a folder, TAR shards")
    k: int = option(
        16,
        "pictures kept at the top of each unit, and half as many at the bottom",
        unit="pictures",
        low=1,
        high=256,
    )
    pictures: bool = option(True, "whether pictures are put into the atlas, or their numbers only")
    seed: int = option(0, "which pictures stand for each level", low=0, high=2**31 - 1)


Found = tuple[int, int, float]
"""An example: number of the picture, position (row-major) in the unit's map, value there."""


@dataclass(frozen=True, kw_only=True)
class LevelBand:
    """Examples whose values lie between `low` and `high`."""

    low: float
    high: float
    examples: tuple[Found, ...] = ()


@dataclass(frozen=True)
class Histogram:
    """Counts of values over equal steps from `low` to `high`; `of` says of which values."""

    low: float
    high: float
    counts: list[float]
    of: str


@dataclass(frozen=True, kw_only=True)
class ExamplesResult(Result):
    """What a dataset says about a unit.

    `dataset` is its digest. `top` and `bottom` are the pictures with the largest and the smallest
    values, most extreme first, `bands` some at every level between. `mean`, `sd`, `min` and `max`
    are over all positions of all pictures; `share` is that of `positions` where the unit is above
    0; `fires` counts the pictures with a value above 0, None where that was not counted.
    `picture_max` and `picture_mean` are quantiles over pictures of the spatial maximum and mean,
    by share. `classes` are [class, mean of its pictures' maxima, share in the sum], largest first.
    """

    dataset: str = ""
    top: tuple[Found, ...] = ()
    bottom: tuple[Found, ...] = ()
    bands: tuple[LevelBand, ...] = ()
    histogram: Histogram | None = None
    mean: float = 0.0
    sd: float = 0.0
    min: float = 0.0
    max: float = 0.0
    share: float = 0.0
    positions: int = 0
    fires: int | None = None
    picture_max: Mapping[str, float]
    picture_mean: Mapping[str, float]
    classes: tuple[tuple[Any, float, float], ...] = ()

    @property
    def numbers(self) -> set[int]:
        """The numbers of all pictures that it names."""
        groups = (self.top, self.bottom, *(band.examples for band in self.bands))
        return {n for group in groups for n, _, _ in group}

    def to_json(self) -> dict[str, Any]:
        shown = self.histogram
        return {
            "dataset": self.dataset,
            "top": [list(example) for example in self.top],
            "bottom": [list(example) for example in self.bottom],
            "bands": [
                {"low": b.low, "high": b.high, "examples": [list(e) for e in b.examples]}
                for b in self.bands
            ],
            "histogram": {
                "low": shown.low,
                "high": shown.high,
                "counts": list(shown.counts),
                "of": shown.of,
            }
            if shown
            else None,
            "mean": self.mean,
            "sd": self.sd,
            "min": self.min,
            "max": self.max,
            "share": self.share,
            "positions": self.positions,
            "fires": self.fires,
            "picture_max": dict(self.picture_max),
            "picture_mean": dict(self.picture_mean),
            "classes": [list(one) for one in self.classes],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "ExamplesResult":
        positions, fires = data.get("positions"), data.get("fires")
        return cls(
            dataset=texts(data, "dataset"),
            top=_examples(data.get("top")),
            bottom=_examples(data.get("bottom")),
            bands=tuple(
                LevelBand(
                    low=number(band.get("low")),
                    high=number(band.get("high")),
                    examples=_examples(band.get("examples")),
                )
                for band in dicts(data.get("bands"))
            ),
            histogram=_histogram(data.get("histogram")),
            mean=number(data.get("mean")),
            sd=number(data.get("sd")),
            min=number(data.get("min")),
            max=number(data.get("max")),
            share=number(data.get("share")),
            positions=positions if isinstance(positions, int) else 0,
            fires=fires if isinstance(fires, int) and fires >= 0 else None,
            picture_max=quantiles(data.get("picture_max")),
            picture_mean=quantiles(data.get("picture_mean")),
            classes=tuple(
                (c, number(mean), number(share))
                for c, mean, share, *_ in pairs(data.get("classes"), 3)
            ),
        )


@dataclass(frozen=True, kw_only=True)
class SweptNode(Result):
    """What a dataset says about a node as a whole: `skipped` pictures were left out, `reasons` say
    which and why. `profile` uint8 [unit, picture] is each unit's maximum on each of `numbers`, from
    its `low` (0) to its `high` (255), float32 [unit]."""

    dataset: str = ""
    skipped: int = 0
    reasons: tuple[tuple[int, str], ...] = ()
    profiles: Arrays

    def to_json(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "skipped": self.skipped,
            "reasons": [list(reason) for reason in self.reasons],
        }

    def arrays(self) -> Arrays:
        return self.profiles

    @property
    def profile(self) -> "np.ndarray | None":
        """uint8 [unit, picture]; None where there is none."""
        return self.profiles.get("profile")

    @classmethod
    def from_json(cls, data: Mapping[str, Any], arrays: Arrays) -> "SweptNode":
        skipped = data.get("skipped")
        return cls(
            dataset=texts(data, "dataset"),
            skipped=skipped if isinstance(skipped, int) else 0,
            reasons=tuple(
                (n, str(why)[:200])
                for n, why, *_ in pairs(data.get("reasons"))
                if isinstance(n, int)
            ),
            profiles=arrays,
        )


def _examples(given: Any) -> tuple[Found, ...]:
    return tuple(
        (n, position, number(value))
        for n, position, value, *_ in pairs(given, 3)
        if isinstance(n, int) and isinstance(position, int) and position >= 0
    )


def _histogram(given: Any) -> Histogram | None:
    if not isinstance(given, dict) or not isinstance(given.get("counts"), list):
        return None
    counts = [max(0.0, number(c)) for c in given["counts"][:1000]]
    low, high = number(given.get("low")), number(given.get("high"))
    return Histogram(low, high, counts, texts(given, "of")) if counts and high > low else None


def quantiles(given: Any) -> dict[str, float]:
    """Values by share; those that are no finite numbers are left out."""
    values = given.items() if isinstance(given, dict) else ()
    return {str(k): float(v) for k, v in values if number(v, math.nan) == v}


LENS = Lens(
    words=WORDS,
    order=50,
    home=__package__,
    params=ExamplesParams,
    result=ExamplesResult,
    whole=SweptNode,
    can=Can(whole_node=True, on_dataset=True, variant_title="Dataset"),
)
