"""Pairs of units of two models that fire on the same pictures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from micrograph.atlas import Reading
from micrograph.lenses.similar.neighbours import FEWEST
from micrograph.lenses.similar.profiles import Nodes, Profiles, profiles_of

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Match:
    """Units `here` and `there`, each the other's best, and the correlation of their profiles."""

    here: int
    there: int
    value: float


def shared_dataset(here: Reading, there: Reading) -> str:
    """The digest of a dataset that both models looked at, "" if there is none."""
    theirs = profiles_of(there)
    return next((digest for digest in profiles_of(here) if digest in theirs), "")


def matches(
    here: Reading, node: str, there: Reading, other: str, dataset: str, count: int
) -> list[Match]:
    """The `count` best pairs of units of the two nodes, best first.

    A pair is two units of which each is nearest to the other (Pearson, on the pictures that both
    models looked at); units that are always the same are in none.
    """
    import numpy as np

    mine = profiles_of(here, dataset).get(dataset, Nodes()).get(node)
    yours = profiles_of(there, dataset).get(dataset, Nodes()).get(other)
    if mine is None or yours is None:
        return []
    common = np.intersect1d(mine.numbers, yours.numbers)
    if len(common) < FEWEST:
        return []
    a, b = _standard(mine.restricted_to(common)), _standard(yours.restricted_to(common))
    alike = a @ b.T
    best, back = alike.argmax(1), alike.argmax(0)
    pairs = [
        Match(unit, int(best[unit]), float(alike[unit, best[unit]]))
        for unit in range(len(a))
        if back[best[unit]] == unit and alike[unit, best[unit]] > 0
    ]
    return sorted(pairs, key=lambda m: -m.value)[:count]


def _standard(profiles: Profiles) -> "np.ndarray":
    """Each unit's profile with mean 0 and length 1, or all 0 where it never changes."""
    import numpy as np

    mean, length = profiles.moments
    scale = np.where(length > 1e-3, length, np.inf)
    standard: np.ndarray = (profiles.values - mean[:, None]) / scale[:, None]
    return standard.astype(np.float32)
