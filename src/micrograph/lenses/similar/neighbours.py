"""Nearest neighbours of a unit: units that fire on the same pictures, and units of like weights.

By profile: the correlation (Pearson) between the largest activations of two units on each of the
pictures that a sweep of `dataset_examples` looked at, in one model and across models that looked at
the same dataset. The search is exact. By weights: what the lens `similar` stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from micrograph.atlas import Reading
from micrograph.atlas.concatenations import concatenations
from micrograph.errors import MicrographError
from micrograph.lenses.pages.scene import whole_arrays
from micrograph.lenses.similar.profiles import Nodes, Profiles, profiles_of

if TYPE_CHECKING:
    import numpy as np

FEWEST = 32
"""Pictures in common below which a correlation says too little to be shown."""

_MARGIN = 1e-3
"""Far more than two ways to add up one correlation differ by."""
_WEIGHTS = {
    "weights": "cosine of incoming weights, in the same branch",
    "outgoing": "cosine of outgoing weights",
}


_BRANCHES: "WeakKeyDictionary[Reading, dict[str, str]]" = WeakKeyDictionary()
"""Branches of each model with their concatenation; a model that is read stays the same."""


@dataclass(frozen=True)
class Neighbour:
    """Another unit and how alike it is, at most 1."""

    model: str
    node: str
    unit: int
    value: float


@dataclass(frozen=True)
class Neighbours:
    """Units like one unit, most alike first. `method` says what `value` means.

    `dataset` is the digest of the pictures compared on, "" for weights; `pictures` their number.
    """

    kind: str
    method: str
    units: list[Neighbour]
    dataset: str = ""
    pictures: int = 0


def by_profile(
    atlas: Reading, node: str, unit: int, others: Sequence[Reading] = (), count: int = 12
) -> list[Neighbours]:
    """Units that fire on the same pictures as `node`/`unit` of `atlas`, dataset by dataset.

    First those of the model itself (kind "profile"), then those of `others` (kind "models") that
    looked at the same dataset; lists without a unit are left out.
    """
    found = []
    for digest, own_blocks in profiles_of(atlas).items():
        mine = own_blocks.get(node)
        if mine is None or unit >= len(mine.values):
            continue
        itself = _places_of(atlas, node, unit)
        here = [(atlas, _without_branches(atlas, own_blocks))]
        ((_, blocks),) = _candidates(here, mine, unit, count + len(itself)) or here
        own = _nearest(atlas, blocks, mine, unit, count, itself)
        if own is not None:
            found.append(Neighbours("profile", _method(own[1]), own[0], digest, own[1]))
        foreign: list[Neighbour] = []
        fewest = len(mine.numbers)
        elsewhere = [
            (other, _without_branches(other, _profiles_elsewhere(other).get(digest, Nodes())))
            for other in others
            if other.model.id != atlas.model.id
        ]
        for other, blocks in _candidates(elsewhere, mine, unit, count):
            there = _nearest(other, blocks, mine, unit, count)
            if there is not None:
                foreign += there[0]
                fewest = min(fewest, there[1])
        if foreign:
            foreign.sort(key=lambda n: -n.value)
            found.append(Neighbours("models", _method(fewest), foreign[:count], digest, fewest))
    return found


def _profiles_elsewhere(other: Reading) -> Mapping[str, Nodes]:
    """The profiles of another model; none where its files cannot be read: that is its pages' to
    say, not this one's."""
    try:
        return profiles_of(other)
    except MicrographError:
        return {}


def by_weights(atlas: Reading, node: str, unit: int, count: int = 12) -> list[Neighbours]:
    """Units of the same node with like weights, as far as the lens `similar` was run."""
    found = []
    for variant, method in _WEIGHTS.items():
        arrays = whole_arrays(atlas, node, "similar", variant)
        if "near" not in arrays or "cosine" not in arrays or unit >= len(arrays["near"]):
            continue
        pairs = zip(arrays["near"][unit], arrays["cosine"][unit], strict=True)
        known = range(atlas.nodes[node].units)
        units = [
            Neighbour(atlas.model.id, node, int(other), float(value))
            for other, value in pairs
            if int(other) in known
        ]
        if units:
            found.append(Neighbours(variant, method, units[:count]))
    return found


def _method(pictures: int) -> str:
    return f"correlation of the largest activations on {pictures} pictures"


def _nearest(
    atlas: Reading,
    blocks: Nodes,
    mine: Profiles,
    unit: int,
    count: int,
    itself: Mapping[str, int] = MappingProxyType({}),
) -> tuple[list[Neighbour], int] | None:
    """The units of `blocks` that correlate best with a unit of `mine`, and on how many pictures.

    `itself` (node to unit) is left out.
    """
    import numpy as np

    found: list[Neighbour] = []
    fewest = len(mine.numbers)
    for node, block in blocks.items():
        profile = mine.values[unit]
        if node in blocks.near:
            units = blocks.near[node]
            units = units[units != itself.get(node, -1)]
            if len(block.numbers) >= FEWEST and len(units):
                pairs = zip(units.tolist(), block.exactly(units, profile), strict=True)
                found += [Neighbour(atlas.model.id, node, u, value) for u, value in pairs]
            continue
        if not np.array_equal(block.numbers, mine.numbers):
            common = np.intersect1d(block.numbers, mine.numbers)
            if len(common) < FEWEST:
                continue
            block, profile = block.restricted_to(common), mine.restricted_to(common).values[unit]
            fewest = min(fewest, len(common))
        if len(block.numbers) < FEWEST:
            continue
        values = block.correlations(profile)
        if node in itself:
            values[itself[node]] = np.nan
        near = _reaching(values, count)
        exact = zip(near.tolist(), block.exactly(near, profile), strict=True)
        found += [Neighbour(atlas.model.id, node, u, value) for u, value in exact]
    if not found:
        return None
    found.sort(key=lambda n: -n.value)
    return found[:count], fewest


def _without_branches(atlas: Reading, blocks: Nodes) -> Nodes:
    """Without branches: their units are units of the concatenation too."""
    inside = _BRANCHES.get(atlas)
    if inside is None:
        inside = _BRANCHES[atlas] = {
            node: whole for node, (whole, _) in concatenations(atlas).items()
        }
    if not inside or not any(inside.get(node) in blocks for node in blocks):
        return blocks
    return Nodes({n: block for n, block in blocks.items() if inside.get(n) not in blocks})


def _candidates(
    elsewhere: Sequence[tuple[Reading, Nodes]], mine: Profiles, unit: int, count: int
) -> Sequence[tuple[Reading, Nodes]]:
    """Those blocks of some models that can hold one of the `count` nearest units.

    One pass over all nodes of a file finds how near each unit is; nodes without a unit near enough
    are dropped, of the others these units are named. Models that were shown other pictures are left
    as they are.
    """
    import numpy as np

    probe = mine.values[unit].astype(np.float32)
    probe -= probe.mean(dtype=np.float64)
    length = np.linalg.norm(probe)
    probe /= length if length >= 1e-3 else np.nan
    near = [_correlations(blocks, mine, probe) for _, blocks in elsewhere]
    rows = [np.empty(0, np.float32)] + [v for found in near if found for _, v in found]
    least = _least(np.concatenate(rows), count)
    kept = []
    for (other, blocks), found in zip(elsewhere, near, strict=True):
        if found is None:
            kept.append((other, blocks))
            continue
        there = {n: u for group, values in found for n, u in _units_reaching(group, values, least)}
        if there:
            nodes = Nodes({n: block for n, block in blocks.items() if n in there})
            nodes.near = there
            kept.append((other, nodes))
    return kept


def _least(values: "np.ndarray", count: int) -> float:
    """Below it no value can be one of the `count` largest."""
    import numpy as np

    known = values[np.isfinite(values)]
    return float(np.partition(known, -count)[-count]) - _MARGIN if len(known) > count else -np.inf


def _reaching(values: "np.ndarray", count: int) -> "np.ndarray":
    """The units that can have one of the `count` largest values."""
    import numpy as np

    with np.errstate(invalid="ignore"):
        return np.flatnonzero(np.isfinite(values) & (values >= _least(values, count)))


GroupValues = list[tuple[list[Profiles], "np.ndarray"]]
"""Groups of nodes, each with a value of every unit, node after node."""


def _correlations(blocks: Nodes, mine: Profiles, probe: "np.ndarray") -> GroupValues | None:
    """The correlations of all units with `probe`, a profile of mean 0 and length 1 on the pictures
    of `mine`; None where a node was shown other pictures."""
    import numpy as np

    found = []
    for whole, group, complete in blocks.groups:
        if len(whole.numbers) != len(mine.numbers) or (whole.numbers != mine.numbers).any():
            return None
        values = whole.products(probe) * whole.scale
        if not complete:  # some are not shown
            values = np.concatenate([values[b.first : b.first + len(b.values)] for b in group])
        found.append((group, values))
    return found


def _units_reaching(
    group: list[Profiles], values: "np.ndarray", least: float
) -> Iterator[tuple[str, "np.ndarray"]]:
    """The nodes with units of at least that value, and those."""
    import numpy as np

    rows = np.flatnonzero(values >= least)
    if len(rows):
        ends = np.cumsum([len(block.values) for block in group])
        nodes = np.searchsorted(ends, rows, side="right")
        for place in np.unique(nodes):
            block = group[place]
            yield block.node, rows[nodes == place] - (ends[place] - len(block.values))


def _places_of(atlas: Reading, node: str, unit: int) -> dict[str, int]:
    """A unit, and the unit of a concatenation that it becomes, by node."""
    whole, first = concatenations(atlas).get(node, ("", 0))
    return {whole: first + unit, node: unit}
