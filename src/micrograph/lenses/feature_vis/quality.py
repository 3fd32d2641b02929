"""Is a feature visualization to be trusted? Measured, with the reasons in words.

A picture is compared with what the pictures of a dataset do to the unit, and with its own repeats.
What the thresholds are and how they were found is in docs/techniques/quality.md.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from micrograph.atlas import Visualization
from micrograph.lenses.dataset_examples.lens import quantiles
from micrograph.lenses.feature_vis.lens import FeatureVisResult
from micrograph.lenses.result import texts
from micrograph.recipe import canonical

TRUSTED, CAREFUL, DISTRUSTED, UNCHECKED = ("trusted", "careful", "not to be trusted", "unchecked")

FAILED = {"channel": 1.0, "neuron": 0.5}
"""Shares of the dataset's best below which a picture counts as failed. A channel's picture repeats
its pattern, and must drive the whole map more than any picture of the dataset does."""
WEAK = {"channel": 1.3, "neuron": 1.0}
"""Shares below which it is read with care: pictures of noise still reach these."""
AGREEING = 0.6
"""Likeness of what two repeats drive; pictures of different units stay below, see the docs."""
SPREAD = 0.5
"""Share of the strongest repeat's activation by which the weakest may stay behind."""


@dataclass(frozen=True)
class Quality:
    """How far the picture of one variant can be trusted.

    `share` is its activation over the best of the dataset (`dataset` is the name), `exceeds` the
    share of the dataset's pictures that it drives the unit more than; `agreement` is the mean
    likeness (0..1) of what `repeats` pictures drive in the node, `spread` how far the weakest one's
    activation is behind. None is what could not be measured. `foreign`: the dataset is of another
    world than the model's, and so no judge.
    """

    variant: str
    verdict: str
    reasons: list[str]
    dataset: str = ""
    share: float | None = None
    exceeds: float | None = None
    repeats: int = 1
    agreement: float | None = None
    spread: float | None = None
    foreign: bool = False


def qualities(
    found: Sequence[Visualization], foreign: Mapping[str, str] | None = None
) -> dict[str, Quality]:
    """The quality of each variant of feature visualization among all results of one unit.

    `foreign` are the datasets, by digest, that are of another world than the model's, each with the
    sentence that says so: by them nothing is judged.
    """
    examples = [v for v in found if v.technique == "dataset_examples" and v.unit is not None]
    by_variant: dict[str, list[Visualization]] = {}
    for v in found:
        if v.technique == "feature_vis" and v.picture is not None:
            by_variant.setdefault(v.variant, []).append(v)
    return {
        variant: quality(variant, _repeats(rows), examples, foreign or {})
        for variant, rows in by_variant.items()
    }


def quality(
    variant: str,
    repeats: Sequence[Visualization],
    examples: Sequence[Visualization],
    foreign: Mapping[str, str] | None = None,
) -> Quality:
    """The quality of `repeats[0]`, the others made alike from other seeds.

    `examples` are the unit's results of dataset_examples; of several datasets the one counts that
    drives the unit most, and one of another world (`foreign`, as in `qualities`) only where there
    is no other.
    """
    if re.search("negative|alpha", variant):
        return Quality(
            variant, UNCHECKED, ["A dataset has nothing to compare this kind of picture with."]
        )
    kind = "channel" if variant.startswith("channel") else "neuron"
    judges = [_Judge.of(e, foreign or {}) for e in examples]
    best = max(judges, key=lambda e: (not e.strange, _top(e, kind)), default=None)
    dataset = best.name if best else ""
    no_judge = best.strange if best else ""
    bad, weak, good = [], [], []
    score, top = _reached(repeats[0]), _top(best, kind) if best else -math.inf
    share = exceeds = None
    if best is None or not math.isfinite(top):
        unknown = ["No dataset was swept for this unit: there is nothing to compare with."]
    else:
        unknown = [f"Not judged: {no_judge}."] if no_judge else []
        if top > 0:
            share, exceeds = score / top, _share_below(best, kind, score)
        if no_judge:
            pass
        elif _is_dead(best):
            bad.append(f"None of the pictures in {dataset} excites this unit: it may be dead.")
        elif share is not None:
            said = f"It drives the unit {_times(share)} {_MEANT[kind]} of {dataset}"
            if share < FAILED[kind]:
                bad.append(f"{said}: the picture failed.")
            elif share < WEAK[kind]:
                weak.append(f"{said}: little for a picture made to do so.")
            else:
                good.append(f"{said}.")
            if _quantile(best, "max", 0.99) == 0:
                weak.append(f"The unit is silent on 99 of 100 pictures of {dataset}.")
        else:
            unknown.append(f"The unit is never positive on {dataset}.")
    agreement, spread = _agreement(repeats), _spread([_reached(v) for v in repeats])
    # What a whole picture drives says little where only its centre was driven.
    agreement = agreement if kind == "channel" else None
    if agreement is not None and agreement < AGREEING:
        weak.append("Repeats drive different units: it has several meanings, or none it agrees on.")
    elif agreement is not None:
        good.append(f"{len(repeats)} repeats agree.")
    if spread is not None and spread > SPREAD:
        weak.append("Some repeats drive it far less than others: the way there is hard.")
    verdict = DISTRUSTED if bad else CAREFUL if weak else UNCHECKED if unknown else TRUSTED
    if len(repeats) == 1:
        unknown.append("It was made once; repeats (--repeats 3) would show what is chance.")
    return Quality(
        variant,
        verdict,
        [*bad, *weak, *good, *unknown],
        dataset,
        share,
        exceeds,
        len(repeats),
        agreement,
        spread,
        bool(no_judge),
    )


_MEANT = {
    "channel": "the largest mean over a picture",
    "neuron": "the largest activation",
}
_SPATIAL = {"channel": "picture_mean", "neuron": "picture_max", "max": "picture_max"}


def _repeats(rows: Sequence[Visualization]) -> list[Visualization]:
    """Of a variant's rows those made like the first, seed apart, one per seed."""
    alike = _recipe_without_seed(rows[0])
    by_seed: dict[int, Visualization] = {}
    for v in rows:
        if _recipe_without_seed(v) == alike:
            by_seed.setdefault(v.seed, v)
    return list(by_seed.values())


def _recipe_without_seed(v: Visualization) -> str:
    return canonical({key: value for key, value in v.recipe.items() if key != "seed"})


@dataclass(frozen=True)
class _Judge:
    """What a dataset says about the unit: by quantity, the values at quantiles over its pictures,
    ascending. `strange` says why it is no judge, or ""."""

    name: str
    strange: str
    quantiles: Mapping[str, Mapping[float, float]]

    @classmethod
    def of(cls, example: Visualization, foreign: Mapping[str, str]) -> "_Judge":
        data = example.data
        values = {name: _ascending(quantiles(data.get(name))) for name in {*_SPATIAL.values()}}
        return cls(example.variant, foreign.get(texts(data, "dataset"), ""), values)


def _ascending(given: Mapping[str, float]) -> dict[float, float]:
    """Values by quantile; {} if unsound."""
    found = {}
    for key, value in given.items():
        try:
            quantile = float(key)
        except ValueError:
            continue
        if 0 <= quantile <= 1:
            found[quantile] = value
    return dict(sorted(found.items()))


def _reached(v: Visualization) -> float:
    """By the picture that is shown, where that was measured."""
    return v.score if v.stored_score is None else v.stored_score


def _quantiles(judge: _Judge, kind: str) -> Mapping[float, float]:
    return judge.quantiles[_SPATIAL[kind]]


def _quantile(judge: _Judge, kind: str, at: float) -> float | None:
    return _quantiles(judge, kind).get(at)


def _top(judge: _Judge, kind: str) -> float:
    """The largest value over the dataset's pictures; -inf where it is not known."""
    return _quantiles(judge, kind).get(1.0, -math.inf)


def _is_dead(judge: _Judge) -> bool:
    """Off on every picture: exactly zero, which values without an activation never are."""
    return _quantile(judge, "max", 1.0) == 0


def _share_below(judge: _Judge, kind: str, score: float) -> float:
    """The share of the dataset's pictures that certainly stay below `score`."""
    return max((q for q, v in _quantiles(judge, kind).items() if v <= score), default=0.0)


def _times(share: float) -> str:
    return f"{share:.2f} times" if share < 10 else f"{share:.0f} times"


def _agreement(repeats: Sequence[Visualization]) -> float | None:
    """Mean cosine, over pairs, of the activations of the other units of the node most driven."""
    driven = [d for v in repeats if (d := dict(_other_driven_units(v)))]
    if len(driven) < 2:
        return None
    values = [_cosine(a, b) for a, b in combinations(driven, 2)]
    return sum(values) / len(values)


def _other_driven_units(v: Visualization) -> Iterator[tuple[int, float]]:
    """The units a picture drives, without the one it was made for, which would always agree."""
    for unit, value in FeatureVisResult.from_json(v.data, {}).driven:
        if unit != v.unit and value > 0:
            yield unit, value


def _cosine(a: Mapping[int, float], b: Mapping[int, float]) -> float:
    product = sum(value * b.get(unit, 0.0) for unit, value in a.items())
    return product / (math.hypot(*a.values()) * math.hypot(*b.values()))


def _spread(scores: Sequence[float]) -> float | None:
    top = max(scores)
    return (top - min(scores)) / top if len(scores) > 1 and top > 0 else None
