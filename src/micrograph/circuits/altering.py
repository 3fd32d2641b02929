"""What other units do when some are silenced, scaled or shifted, and random units to compare with.

Many changes to one picture, for steering. Ablation, one change at a time to many pictures with all
that lies beside the source answered from memory, is in `claims/silencing.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.altering import Alteration, altered
from micrograph.models.model import Model

TOGETHER = 16
"""Changes that go through a network in one pass."""
POOL = 3
"""Controls are drawn among so many times as many units as are asked for: the nearest ones."""

ALIKE = 2.0
"""Levels within this factor of each other match."""

Units = Mapping[str, Sequence[int]]
"""Units by their node, such as {"inception_4b": [373, 237]}."""


@dataclass(frozen=True)
class Change:
    """What becomes of a unit's value at every position: `factor * value + amount`."""

    factor: float = 0.0
    amount: float = 0.0


SILENCED = Change(0.0)


@torch.no_grad()
def altered_answers(
    model: Model,
    picture: Tensor,
    groups: Sequence[Units],
    change: Change,
    watch: Iterable[str],
    *,
    pre_relu: bool = False,
) -> dict[str, Tensor]:
    """The values of the nodes `watch` on `picture` [1, 3, y, x], once for each of `groups`, with
    the units of that group changed; {} leaves all as they are.

    Returns [group, unit, y, x] (or [group, unit]) by node. With `pre_relu` nodes behind a ReLU give
    the values before it, so that a unit that was silent can be seen to fall too.
    """
    watched = list(watch)
    for group in groups:
        for node, units in group.items():
            check_units(model, node, units)
    nodes = list(dict.fromkeys(model.node(node).id for group in groups for node in group))
    parts: dict[str, list[Tensor]] = {name: [] for name in watched}
    for start in range(0, len(groups), TOGETHER):
        some = groups[start : start + TOGETHER]
        alterations = {node: _alteration(model, node, some, change) for node in nodes}
        if not alterations:
            found = model.run(picture, watched, pre_relu=pre_relu)
            found = {k: v.expand(len(some), *v.shape[1:]) for k, v in found.items()}
        else:
            with altered(model, alterations):
                found = model.run(picture, watched, pre_relu=pre_relu)
        for name, values in found.items():
            parts[name].append(values.float())
    return {name: torch.cat(values) for name, values in parts.items()}


def check_units(model: Model, node: str, units: Sequence[int]) -> None:
    """Raises BadInput for units that the node does not have, for none, and for one named twice."""
    place = model.node(node)
    for unit in units:
        if isinstance(unit, bool) or not isinstance(unit, int) or not 0 <= unit < place.units:
            raise BadInput(
                f"unit {unit} of {place.id} is out of range; expected 0-{place.units - 1}"
            )
    if not units or len(set(units)) < len(units):
        raise BadInput(f"units {list(units)} of {place.id} given; expected some, each once")


def matched_units(
    levels: Sequence[float], units: Sequence[int], count: int, seed: int = 0
) -> list[list[int]]:
    """Groups of random units to compare `units` with, each matched to one of them by its level.

    `levels` is a number for each unit of the node, such as its mean activation. For each unit the
    controls are drawn from the `POOL * count` others whose levels are nearest, as far as these are
    within a factor of `ALIKE`; where fewer than `count` are, from the `count` nearest. Units of the
    group itself are none. There are `count` different groups, or fewer where the node has too few
    units.
    """
    given = np.asarray(levels, dtype=np.float64)
    others = np.setdiff1d(np.arange(len(given)), np.asarray(units))
    draw = np.random.default_rng(seed)
    pools = [_pool(given, others, unit, count) for unit in units]
    found: dict[tuple[int, ...], list[int]] = {}
    if len(units) == 1:
        picked = draw.permutation(pools[0])[:count]
        return [[int(one)] for one in picked]
    for _ in range(20 * count):
        if len(found) == count or len(others) < len(units):
            break
        group: list[int] = []
        for pool in pools:
            left = pool[~np.isin(pool, group)]
            if not len(left):
                break
            group.append(int(draw.choice(left)))
        if len(group) == len(units):
            found.setdefault(tuple(sorted(group)), group)
    return list(found.values())


def _pool(levels: np.ndarray, others: np.ndarray, unit: int, count: int) -> np.ndarray:
    order = np.argsort(np.abs(levels[others] - levels[unit]), kind="stable")
    nearest = others[order[: POOL * count]]
    low, high = sorted((levels[unit] / ALIKE, levels[unit] * ALIKE))
    alike = nearest[(levels[nearest] >= low) & (levels[nearest] <= high)]
    return alike if len(alike) >= count else nearest[:count]


def _alteration(model: Model, node: str, groups: Sequence[Units], change: Change) -> Alteration:
    units = model.node(node).units
    factor, amount = torch.ones(len(groups), units), torch.zeros(len(groups), units)
    for number, group in enumerate(groups):
        for name, chosen in group.items():
            if model.node(name).id == node:
                factor[number, list(chosen)] = change.factor
                amount[number, list(chosen)] = change.amount
    return Alteration(factor.to(model.device), amount.to(model.device))
