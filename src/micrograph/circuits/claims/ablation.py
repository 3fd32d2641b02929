"""Ablation: the target with each source silenced, against matched random units of its node.

What drives the target is silenced on the target's own strongest pictures, at the position where the
target fires. What holds it back is not active there as a rule; it is silenced on its own strongest
pictures, at the target's position nearest to where it fires.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.circuits.claims.bench import CONTROLS, Bench, Silenced
from micrograph.circuits.claims.evidence import Line, SourceReading, line, not_enough, reading
from micrograph.circuits.claims.statistics import bootstrap, share_at_least
from micrograph.claims import Claim, ClaimSource
from micrograph.subject import UnitSubject

FEWEST = 6
"""Pictures, at least, on which something must fire."""
FEWEST_CONTROLS = 20


@dataclass(frozen=True)
class SourceSilenced:
    """A source (the first of the units in `runs`) and its controls, silenced one at a time.
    `scale` [picture] is what a fall is measured in."""

    source: ClaimSource
    runs: Silenced
    scale: Tensor
    target: UnitSubject

    @property
    def effects(self) -> np.ndarray:
        """[unit, picture]: the share of the target that each takes away, positive as claimed."""
        falls = self.source.sign * self.runs.falls[..., self.target.unit] / self.scale
        found: np.ndarray = falls.numpy().astype(np.float64)
        return found


def silence(
    bench: Bench, claim: Claim, source: ClaimSource, controls: int = CONTROLS
) -> SourceSilenced:
    """The source and its matched controls, silenced on the pictures that tell."""
    target = claim.target
    shown = target if source.sign > 0 else source.unit
    places = bench.strongest(shown)
    runs = bench.replaying(source.unit.node, target.node, places)
    positions = (
        _peaks(runs.base[:, target.unit])
        if source.sign > 0
        else _nearest(_map(runs.values)[:, source.unit.unit], runs.base)
    )
    others = [s.unit.unit for s in claim.sources if s.unit.node == source.unit.node]
    pool = bench.matched(source.unit, runs.values, controls, without=others)
    found = bench.silenced(
        source.unit.node, target.node, places, positions, [source.unit.unit, *pool]
    )
    if source.sign > 0:
        scale = found.base[:, target.unit].clamp(min=1e-6)
    else:
        typical = float(bench.of(target).typical()[target.unit])
        scale = torch.full((len(places),), max(typical, 1e-6))
    return SourceSilenced(source, found, scale, target)


def ablation(bench: Bench, claim: Claim, runs: Sequence[SourceSilenced]) -> Line:
    """The line of evidence; `runs` are those of the claim's sources."""
    if missing := too_few_controls(runs):
        return not_enough("ablation", missing)
    fewest = min(len(one.runs.units) - 1 for one in runs)
    readings = [_reading(one) for one in runs]
    if together := _together(bench, claim):
        readings.append(together)
    return line(
        "ablation",
        "share of the target's answer that is gone without the source (for one that holds it back: "
        "what comes back)",
        f"{fewest} other units of the same node, those with the nearest activation on the same "
        "pictures, silenced one at a time",
        readings,
    )


def too_few_controls(runs: Sequence[SourceSilenced]) -> str:
    """What is missing where nodes have too few units to compare a source with, else ""."""
    fewest = min(len(one.runs.units) - 1 for one in runs)
    if fewest >= FEWEST_CONTROLS:
        return ""
    return f"controls: {fewest} other units in the node of a source, {FEWEST_CONTROLS} needed"


def _reading(one: SourceSilenced) -> SourceReading:
    effects = one.effects
    means = effects.mean(1)
    own, others = effects[0], means[1:]
    spread = float(others.std()) or 1e-9
    return reading(
        str(one.source.unit),
        float(means[0]),
        share_at_least(means[0], others),
        controls=others.tolist(),
        interval=bootstrap(own),
        usual=float(np.median(others)),
        numbers={
            "pictures": len(own),
            "effect_size": float((means[0] - others.mean()) / spread),
            "controls_mean": float(others.mean()),
            "controls_largest": float(others.max()),
        },
    )


def _together(bench: Bench, claim: Claim) -> SourceReading | None:
    """All that drive the target silenced at once, against random sets of units that match them one
    by one; None where fewer than two in one node do."""
    sources = [s for s in claim.sources if s.sign > 0]
    nodes = {s.unit.node for s in sources}
    if len(sources) < 2 or len(nodes) > 1:
        return None
    node, target = nodes.pop(), claim.target
    places = bench.strongest(target)
    runs = bench.replaying(node, target.node, places)
    units = [s.unit.unit for s in sources]
    near = [bench.matched(s.unit, runs.values, max(20, CONTROLS // 4), units) for s in sources]
    sets = [units, *_random_sets(near)]
    if len(sets) <= FEWEST_CONTROLS:
        return None
    positions = _peaks(runs.base[:, target.unit])
    rest = torch.from_numpy(bench.answers.nodes[node].rest)
    values = runs.silenced(
        sets, rest, positions, lambda k, n: bench.tell("silencing together", k, n)
    )[..., target.unit]
    base = runs.base[:, target.unit].flatten(1).gather(1, positions.to(runs.base.device)[:, None])
    base = base[:, 0].cpu()
    effects = ((base - values) / base.clamp(min=1e-6)).numpy().astype(np.float64)
    means = effects.mean(1)
    return reading(
        "",
        float(means[0]),
        share_at_least(means[0], means[1:]),
        controls=means[1:].tolist(),
        interval=bootstrap(effects[0]),
        usual=float(np.median(means[1:])),
        numbers={
            "pictures": len(places),
            "effect_size": float((means[0] - means[1:].mean()) / (float(means[1:].std()) or 1e-9)),
            "controls_mean": float(means[1:].mean()),
            "controls_largest": float(means[1:].max()),
        },
    )


def _random_sets(near: Sequence[Sequence[int]]) -> list[list[int]]:
    """Sets of different units, one out of each of `near`; fewer where hardly any are left."""
    draw = np.random.default_rng(0)
    found: list[list[int]] = []
    for number in range(20 * CONTROLS):
        chosen: list[int] = []
        for pool in near:
            # Many sources of a small node never differ by chance: then without those taken.
            left = pool if number < 10 * CONTROLS else [u for u in pool if u not in chosen]
            if left:
                chosen.append(int(draw.choice(left)))
        if len(set(chosen)) == len(near):
            found.append(chosen)
        if len(found) == CONTROLS:
            break
    return found


def _peaks(maps: Tensor) -> Tensor:
    """[picture], row by row, where [picture, y, x] is largest."""
    return maps.flatten(1).argmax(1).cpu()


def _map(values: Tensor) -> Tensor:
    return values if values.ndim == 4 else values[:, :, None, None]


def _nearest(source: Tensor, base: Tensor) -> Tensor:
    """The positions of the target's map nearest to where the source [picture, y, x] is largest."""
    rows, columns = source.shape[1:]
    high, wide = base.shape[2:]
    peak = _peaks(source)
    y = ((peak // columns + 0.5) / rows * high).long().clamp(max=high - 1)
    x = ((peak % columns + 0.5) / columns * wide).long().clamp(max=wide - 1)
    return y * wide + x
