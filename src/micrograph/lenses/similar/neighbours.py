"""Nearest neighbours of a unit: units that fire on the same pictures, and units of like weights.

By profile: the correlation (Pearson) between the largest activations of two units on each of the
pictures that a sweep of `dataset_examples` looked at, in one model and across models that looked at
the same dataset. The search is exact. By weights: what the lens `similar` stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from micrograph.atlas import Reading
from micrograph.atlas.concatenations import concatenations
from micrograph.errors import MicrographError
from micrograph.lenses.pages.scene import whole_arrays
from micrograph.lenses.similar.nearest import nearest_of, profiled_datasets
from micrograph.lenses.similar.profiles import Nodes, Profiles, profiles_of
from micrograph.plain import plain_record

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


@plain_record
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
    kept = nearest_of(atlas)
    for digest in profiles_of(atlas) if kept is None else kept:
        near = kept[digest] if kept else None
        if near is not None and not near.has(node, unit):
            continue
        itself = _places_of(atlas, node, unit)
        own = near.of(node, unit, count, itself) if near and near.pictures >= FEWEST else None
        elsewhere = [one for one in others if one.model.id != atlas.model.id]
        elsewhere = [one for one in elsewhere if _looked_at(one, digest)]
        if near is not None and own is not None:
            named = [Neighbour(atlas.model.id, *place) for place in own]
            if named:
                found.append(
                    Neighbours("profile", _method(near.pictures), named, digest, near.pictures)
                )
            if not elsewhere:
                continue  # no profile was read
        own_blocks = profiles_of(atlas, digest).get(digest, Nodes())
        mine = own_blocks.get(node)
        if mine is None or unit >= len(mine.values):
            continue
        if own is None:
            found += _nearest_at_home(atlas, own_blocks, mine, unit, count, itself, digest)
        found += _nearest_elsewhere(elsewhere, mine, unit, count, digest)
    return found


def _nearest_at_home(
    atlas: Reading,
    blocks: Nodes,
    mine: Profiles,
    unit: int,
    count: int,
    itself: Mapping[str, int],
    dataset: str,
) -> Iterator[Neighbours]:
    """By a search of all profiles of the model."""
    here = [(atlas, _without_branches(atlas, blocks))]
    for _, candidates in _candidates(here, mine, unit, count + len(itself)):
        own = _nearest(atlas, candidates, mine, unit, count, itself)
        if own is not None:
            yield Neighbours("profile", _method(own[1]), own[0], dataset, own[1])


def _nearest_elsewhere(
    others: Sequence[Reading], mine: Profiles, unit: int, count: int, dataset: str
) -> Iterator[Neighbours]:
    foreign: list[Neighbour] = []
    fewest = len(mine.numbers)
    elsewhere = [
        (other, _without_branches(other, _profiles_elsewhere(other, dataset).get(dataset, Nodes())))
        for other in others
    ]
    for other, blocks in _candidates(elsewhere, mine, unit, count):
        there = _nearest(other, blocks, mine, unit, count)
        if there is not None:
            foreign += there[0]
            fewest = min(fewest, there[1])
    if foreign:
        foreign.sort(key=lambda n: -n.value)
        yield Neighbours("models", _method(fewest), foreign[:count], dataset, fewest)


def _looked_at(other: Reading, dataset: str) -> bool:
    """Whether another model has profiles on a dataset."""
    known = profiled_datasets(other)
    return dataset in (_profiles_elsewhere(other, dataset) if known is None else known)


def _profiles_elsewhere(other: Reading, dataset: str) -> Mapping[str, Nodes]:
    """The profiles of another model on a dataset; none where its files cannot be read:
    that is its pages' to say, not this one's."""
    try:
        return profiles_of(other, dataset)
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
    named: list[tuple[Profiles, np.ndarray]] = []
    fewest = len(mine.numbers)
    for node, block in blocks.items():
        profile = mine.values[unit]
        if node in blocks.near:
            units = blocks.near[node]
            units = units[units != itself.get(node, -1)]
            if len(block.numbers) >= FEWEST and len(units):
                named.append((block, units))
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
    found += [Neighbour(atlas.model.id, n, u, v) for n, u, v in _exactly(named, mine.values[unit])]
    if not found:
        return None
    found.sort(key=lambda n: -n.value)
    return found[:count], fewest


def _exactly(
    named: Sequence[tuple[Profiles, "np.ndarray"]], profile: "np.ndarray"
) -> Iterator[tuple[str, int, float]]:
    """The correlations of some units of some nodes with a profile; those that lie in one array are
    worked out together."""
    import numpy as np

    for _, group in groupby(named, key=lambda pair: id(pair[0].whole or pair[0])):
        there = list(group)
        whole = there[0][0].whole or there[0][0]
        rows = np.concatenate([block.first + units for block, units in there])
        places = [(block.node, unit) for block, units in there for unit in units.tolist()]
        for (node, unit), value in zip(places, whole.exactly(rows, profile), strict=True):
            yield node, unit, value


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

    One pass over all nodes finds how near each unit is. Nodes without a unit near enough are
    dropped, of the others these units are named. Models that were shown other pictures are left as
    they are.
    """
    import numpy as np

    near = [_correlations(blocks, mine, unit) for _, blocks in elsewhere]
    rows = [np.empty(0, np.float32)]
    rows += [group.values for found in near if found for group in found]
    least = _least(np.concatenate(rows), count)
    kept = []
    for (other, blocks), found in zip(elsewhere, near, strict=True):
        if found is None:
            kept.append((other, blocks))
            continue
        there = {n: u for group in found for n, u in _units_reaching(group, least)}
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


@dataclass(frozen=True)
class _Correlations:
    """Of the units of some nodes, node after node, with one unit; NaN where there is none."""

    nodes: list[Profiles]
    values: "np.ndarray"


def _correlations(blocks: Nodes, mine: Profiles, unit: int) -> list[_Correlations] | None:
    """The correlations of all units with a unit of `mine`; None where a node was shown other
    pictures."""
    import numpy as np

    found = []
    probe: np.ndarray | None = None
    for whole, group, complete in blocks.groups:
        if len(whole.numbers) != len(mine.numbers) or (whole.numbers != mine.numbers).any():
            return None
        probe = _probe(mine.values[unit]) if probe is None else probe
        values = whole.products(probe) * whole.scale
        if not complete:  # some are not shown
            values = np.concatenate([values[b.first : b.first + len(b.values)] for b in group])
        found.append(_Correlations(group, values))
    return found


def _probe(profile: "np.ndarray") -> "np.ndarray":
    """A profile with mean 0 and length 1, NaN where it is always the same."""
    import numpy as np

    probe = profile.astype(np.float32)
    probe -= probe.mean(dtype=np.float64)
    length = np.linalg.norm(probe)
    probe /= length if length >= 1e-3 else np.nan
    return probe


def _units_reaching(group: _Correlations, least: float) -> Iterator[tuple[str, "np.ndarray"]]:
    """The nodes with units of at least that value, and those."""
    import numpy as np

    rows = np.flatnonzero(group.values >= least)
    if len(rows):
        ends = np.cumsum([len(block.values) for block in group.nodes])
        nodes = np.searchsorted(ends, rows, side="right")
        for place in dict.fromkeys(nodes.tolist()):  # in order, as rows are
            block = group.nodes[place]
            yield block.node, rows[nodes == place] - (ends[place] - len(block.values))


def _places_of(atlas: Reading, node: str, unit: int) -> dict[str, int]:
    """A unit, and the unit of a concatenation that it becomes, by node."""
    whole, first = concatenations(atlas).get(node, ("", 0))
    return {whole: first + unit, node: unit}
