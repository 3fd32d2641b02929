"""Specificity: is it this target that a source drives; what else does, and what else it drives.

Measured on the same runs as ablation. Each unit of the target's node is compared with itself: how
much more it falls without the source than without a control, in units of what controls take.
"""

from collections.abc import Sequence

import torch

from micrograph.circuits.claims.ablation import SourceSilenced, too_few_controls
from micrograph.circuits.claims.evidence import Line, SourceReading, line, not_enough, reading
from micrograph.circuits.claims.statistics import share_at_least

NAMED = 5


def specificity(runs: Sequence[SourceSilenced]) -> Line:
    """The line of evidence."""
    if missing := too_few_controls(runs):
        return not_enough("specificity", missing)
    return line(
        "specificity",
        "how far the target falls without the source beyond its fall without a control, in "
        "standard deviations over controls",
        "all other units of the target's node, at the same places of the same pictures",
        [_reading(one) for one in runs],
    )


def _reading(one: SourceSilenced) -> SourceReading:
    falls = one.source.sign * one.runs.falls.mean(1)  # [silenced, target unit]
    controls = falls[1:]
    spread = controls.std(0)
    floor = max(float(spread.median()) * 0.1, 1e-9)  # units that nothing moves are no comparison
    z = (falls[0] - controls.mean(0)) / spread.clamp(min=floor)
    target = one.target.unit
    others = torch.cat([z[:target], z[target + 1 :]])
    order = torch.argsort(z, descending=True).tolist()
    drivers = torch.argsort(falls[:, target], descending=True).tolist()
    return reading(
        str(one.source.unit),
        float(z[target]),
        share_at_least(float(z[target]), others.tolist()),
        controls=others.tolist(),
        numbers={
            "rank": order.index(one.target.unit) + 1,
            "of": len(order),
            "also_drives": [
                f"{one.target.node}/{u}" for u in order[:NAMED] if u != one.target.unit
            ],
            "driver_rank": drivers.index(0) + 1,
            "drivers": len(drivers),
            "also_driven_by": [
                f"{one.source.unit.node}/{one.runs.units[k]}" for k in drivers[:NAMED] if k
            ],
        },
    )
