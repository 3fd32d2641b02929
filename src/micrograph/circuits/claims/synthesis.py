"""Synthesis: do the sources fire on a picture made for the target, and the target on one made of
them? Pictures by optimization need no dataset; how much an answer is does: each unit is measured
in its own strong answers to pictures."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from micrograph.circuits.claims.bench import Bench
from micrograph.circuits.claims.evidence import Line, SourceReading, line, reading
from micrograph.circuits.claims.statistics import combined, share_at_least
from micrograph.claims import Claim, ClaimSource
from micrograph.models.model import Model
from micrograph.optimize import Objective, Settings, channel, optimize
from micrograph.optimize.pictures import Pictures
from micrograph.subject import UnitSubject


@dataclass
class Synthesizer:
    """Makes pictures for units, each once."""

    model: Model
    settings: Settings
    _made: dict[tuple[tuple[str, int, float], ...], Pictures] = field(default_factory=dict)

    def picture(self, units: dict[UnitSubject, float]) -> Pictures:
        """A picture for the sum of these units, each with its weight."""
        key = tuple(sorted((u.node, u.unit, w) for u, w in units.items()))
        if key not in self._made:
            target: Objective | None = None
            for node, unit, weight in key:
                term = weight * channel(node, unit)
                target = term if target is None else target + term
            assert target is not None
            self._made[key] = optimize(self.model, target, self.settings)
        return self._made[key]


@dataclass(frozen=True)
class Synthesized:
    """uint8 [y, x, 3]: the target's picture and the composition's, None without one."""

    target: np.ndarray
    composition: np.ndarray | None


def synthesis(bench: Bench, maker: Synthesizer, claim: Claim) -> tuple[Line, Synthesized]:
    """The line of evidence, and the pictures that it rests on."""
    bench.tell("synthesis", 0, 2)
    own = maker.picture({claim.target: 1.0})
    bench.tell("synthesis", 1, 2)
    drive = [s.unit for s in claim.sources if s.sign > 0]
    composed = maker.picture({unit: 1 / _strong(bench, unit) for unit in drive}) if drive else None
    bench.tell("synthesis", 2, 2)
    back = None if composed is None else _target_on(bench, claim.target, composed.images)
    readings = [_reading(bench, source, own.images, back) for source in claim.sources]
    found = line(
        "synthesis",
        "the source's answer to the target's picture, in its own strong answers to photographs "
        "(95 % of pictures stay below one)",
        "all other units of the source's node on the same picture; for the composition, all other "
        "units of the target's node",
        readings,
    )
    return found, Synthesized(
        own.as_uint8()[0], None if composed is None else composed.as_uint8()[0]
    )


def _reading(
    bench: Bench, source: ClaimSource, images: Tensor, back: tuple[float, float] | None
) -> SourceReading:
    values = source.sign * _answers(bench, source.unit.node, images)
    own = float(values[source.unit.unit])
    others = np.delete(values, source.unit.unit)
    others = others[np.isfinite(others)]
    own = own if np.isfinite(own) else 0.0
    ps = [share_at_least(own, others)]
    numbers = {"p_on_target": ps[0]}
    if back is not None and source.sign > 0:
        ps.append(back[1])
        numbers |= {"target_on_composition": back[0], "p_on_composition": back[1]}
    return reading(str(source.unit), own, combined(ps), controls=others.tolist(), numbers=numbers)


def _target_on(bench: Bench, target: UnitSubject, images: Tensor) -> tuple[float, float]:
    """The target's answer to the composition in its own strong answers, and its p."""
    values = _answers(bench, target.node, images)
    own = float(values[target.unit])
    own = own if np.isfinite(own) else 0.0
    return own, share_at_least(own, np.delete(values, target.unit))


@torch.no_grad()
def _answers(bench: Bench, node: str, images: Tensor) -> np.ndarray:
    """Each unit's largest value on a picture in its own strong answers, [unit]; NaN for units that
    have none."""
    values = bench.model.run(images.to(bench.model.device), [node])[node]
    found = (
        values.flatten(2).amax(2)[0].float().cpu().numpy()
        if values.ndim == 4
        else values[0].float().cpu().numpy()
    )
    strong = bench.answers.nodes[node].typical()
    ratio: np.ndarray = np.where(strong > 0, found / np.where(strong > 0, strong, 1), np.nan)
    return ratio


def _strong(bench: Bench, unit: UnitSubject) -> float:
    return max(float(bench.of(unit).typical()[unit.unit]), 1e-6)
