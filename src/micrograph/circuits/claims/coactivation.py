"""Co-activation: do source and target fire on the same pictures, and at the same places of them?

Which pictures: how high the source ranks, among all pictures, on those where the target fires most,
against other units of its node, which see the same pictures as busy as they are. The lift and the
partial correlation over all pictures (the mean of the node's other units taken out) stand beside.
Which places: how alike their maps are on the pictures where the target fires, against the maps of
other such pictures.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.evidence import (
    NEUTRAL,
    SUPPORTS,
    Line,
    SourceReading,
    line,
    reading,
)
from micrograph.circuits.claims.relations import placed
from micrograph.circuits.claims.statistics import (
    bootstrap,
    combined,
    partial_correlation,
    ranks,
    share_at_least,
)
from micrograph.claims import Claim, ClaimSource

FIRING = 0.1
"""The share of pictures with the largest maxima on which a unit counts as firing."""
SHIFTS = 200
"""Random pairings of pictures that places are compared with."""
POINTS = 150


def coactivation(bench: Bench, claim: Claim) -> Line:
    """The line of evidence."""
    return line(
        "coactivation",
        "how much higher the source ranks on the pictures where the target fires most than on all "
        "(0.5 is the most there can be)",
        "all other units of the source's node; for places, the source's map on another picture",
        [_reading(bench, claim, source) for source in claim.sources],
    )


def _reading(bench: Bench, claim: Claim, source: ClaimSource) -> SourceReading:
    target = bench.maxima(claim.target)
    node = bench.of(source.unit).maxima
    unit = source.unit.unit
    x, y = ranks(node), ranks(target)
    busy = (x.sum(1, keepdims=True) - x[:, [unit]]) / max(1, x.shape[1] - 1)
    shown = list(bench.strongest(claim.target, max(12, int(FIRING / 2 * len(y)))))
    higher = source.sign * (x[shown] - x.mean(0))
    r = higher.mean(0)
    partial = source.sign * partial_correlation(x, y, busy)
    others = np.delete(r, unit)
    ps = [share_at_least(r[unit], others)]
    numbers: dict[str, Any] = {
        "pictures": len(y),
        "lift": _lift(node[:, unit], target),
        "rank": int((others > r[unit]).sum()) + 1,
        "of": len(r),
        "p_pictures": ps[0],
        "partial_correlation": float(partial[unit]),
        "p_partial": share_at_least(partial[unit], np.delete(partial, unit)),
        "points": _points(x[:, unit], y),
    }
    numbers |= _places(bench, claim, source)
    if "p_places" in numbers:
        ps.append(numbers["p_places"])
    found = reading(
        str(source.unit),
        float(r[unit]),
        combined(ps),
        controls=others.tolist(),
        interval=bootstrap(higher[:, unit]),
        numbers=numbers,
    )
    return _with_relation(bench, claim, source, found)


def _lift(x: np.ndarray, y: np.ndarray) -> float:
    """How many times more often both fire together than if they did not know of each other."""
    a, b = x > np.quantile(x, 1 - FIRING), y > np.quantile(y, 1 - FIRING)
    expected = a.mean() * b.mean()
    return float((a & b).mean() / expected) if expected > 0 else 0.0


def _points(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    """Some pictures as [source, target], ranks from 0 to 1, for a plot."""
    chosen = np.linspace(0, len(x) - 1, min(POINTS, len(x))).astype(int)
    return [[round(float(x[k]), 3), round(float(y[k]), 3)] for k in chosen]


def _places(bench: Bench, claim: Claim, source: ClaimSource) -> dict[str, Any]:
    """Agreement of places and its p; nothing where a node is flat or too few pictures have both."""
    count = max(12, int(FIRING * len(bench.answers.numbers)))
    places = list(bench.strongest(claim.target, min(count, 128)))
    target = bench.of(claim.target).map_of(claim.target.unit)[places]
    found = bench.of(source.unit).map_of(source.unit.unit)[places]
    if target[0].numel() < 4 or found[0].numel() < 4:
        return {}
    s, t = _flat(_on_grid(found, target.shape[1:])), _flat(target)
    fires = (s.norm(dim=1) > 1e-6) & (t.norm(dim=1) > 1e-6)
    if int(fires.sum()) < 6:
        return {}
    s, t = F.normalize(s[fires]), F.normalize(t[fires])
    alike = source.sign * (t @ s.T).numpy().astype(np.float64)
    draw = np.random.default_rng(0)
    rows = np.arange(len(alike))
    shuffled = [float(alike[rows, draw.permutation(rows)].mean()) for _ in range(SHIFTS)]
    observed = float(alike.diagonal().mean())
    return {
        "agreement": observed,
        "agreement_elsewhere": float(np.mean(shuffled)),
        "p_places": share_at_least(observed, shuffled),
        "pictures_with_both": int(fires.sum()),
    }


def _on_grid(maps: Tensor, size: "torch.Size") -> Tensor:
    """[picture, y, x] at another resolution: the largest value of each cell, or the nearest."""
    grid = tuple(size)
    if maps.shape[1] >= grid[0] and maps.shape[2] >= grid[1]:
        return F.adaptive_max_pool2d(maps[:, None], grid)[:, 0]
    return F.interpolate(maps[:, None], grid, mode="nearest")[:, 0]


def _flat(maps: Tensor) -> Tensor:
    flat = maps.flatten(1)
    return flat - flat.mean(1, keepdim=True)


def _with_relation(
    bench: Bench, claim: Claim, source: ClaimSource, found: SourceReading
) -> SourceReading:
    """The same, judged also by where the source lies, if the claim says that."""
    if not source.relation:
        return found
    where = placed(bench, claim, source)
    if where is None:
        return found
    numbers = {**found.numbers, **where}
    both = reading(
        found.source,
        found.effect,
        combined([found.p, where["p_relation"]]),
        controls=found.controls,
        interval=None if found.low is None or found.high is None else (found.low, found.high),
        numbers=numbers,
    )
    if both.verdict == SUPPORTS and where["p_relation"] > 0.05:
        # Firing together is not yet lying where the claim says.
        return SourceReading(**{**both.__dict__, "verdict": NEUTRAL})
    return both
