"""The groups into which the weights of a node are factored, as parts of pages."""

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from micrograph.atlas.reading import Reading
from micrograph.lenses.connections.stored import stored_connections
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.parts import Thumb

if TYPE_CHECKING:
    import numpy as np

UNITS = 6
"""Units that are shown of each side of a group."""
MOST = 32


@dataclass(frozen=True)
class StoredGroup:
    """Units of a node that are built from the same `sources`: (unit, its part of the group), the
    largest first. `share` is the group's share of all that the groups give."""

    number: int
    share: float
    targets: list[tuple[int, float]]
    sources: list[tuple[int, float]]


@dataclass(frozen=True)
class UnitOfGroup:
    """A unit and its part of a group."""

    thumb: Thumb
    part: float


@dataclass(frozen=True)
class GroupOfWeights:
    """A group, with the largest units of each side; `targets_part` and `sources_part` are what
    those have of all. `steer` is where the shown units of the target are steered together."""

    number: int
    share: float
    targets: list[UnitOfGroup]
    targets_part: float
    sources: list[UnitOfGroup]
    sources_part: float
    steer: str


@dataclass(frozen=True)
class GroupsOfWeights:
    """The weights from the units of `other` in groups, which explain the share `explained` of the
    square of all weights above zero."""

    other: str
    explained: float
    groups: list[GroupOfWeights]


def stored_groups(
    atlas: Reading, node: str, most: int = UNITS
) -> tuple[str, float, list[StoredGroup]]:
    """The node at the other end, how much the groups explain, and each with its `most` largest
    units; no groups where none are stored, or not as they should be."""
    result = stored_connections(atlas, node, "pairs")
    nothing = "", 0.0, list[StoredGroup]()
    if result is None or result.reason or result.other not in atlas.nodes or not result.shares:
        return nothing
    targets, sources = result.kept.get("group_targets"), result.kept.get("group_sources")
    if targets is None or sources is None or not targets.ndim == sources.ndim == 2:
        return nothing
    if not len(targets) == len(sources) == len(result.shares) <= MOST:
        return nothing
    own, others = atlas.nodes[node].units, atlas.nodes[result.other].units
    groups = [
        StoredGroup(
            number, share, _largest(targets[k], own, most), _largest(sources[k], others, most)
        )
        for k, (number, share) in enumerate(enumerate(result.shares, 1))
    ]
    return result.other, result.explained, groups


def groups_of_weights(scene: Scene) -> GroupsOfWeights | None:
    """The groups of the page's node; None where there are none."""
    other, explained, groups = stored_groups(scene.atlas, scene.node.id)
    shown = [one for group in groups if (one := _shown(scene, other, group)) is not None]
    return GroupsOfWeights(other, explained, shown) if shown else None


def _shown(scene: Scene, other: str, group: StoredGroup) -> GroupOfWeights | None:
    targets = _units(scene, scene.node.id, group.targets)
    sources = _units(scene, other, group.sources)
    if not targets or not sources:
        return None
    first, *more = [one.thumb.unit for one in targets]
    return GroupOfWeights(
        group.number,
        group.share,
        targets,
        sum(one.part for one in targets),
        sources,
        sum(one.part for one in sources),
        scene.urls.on_picture(
            scene.model,
            scene.node.id,
            first,
            question="steer",
            units=",".join(map(str, [first, *more])),
        ),
    )


def _units(scene: Scene, node: str, listed: list[tuple[int, float]]) -> list[UnitOfGroup]:
    return [
        UnitOfGroup(thumb, part)
        for unit, part in listed
        if (thumb := scene.thumb(node, unit)) is not None
    ]


def _largest(parts: "np.ndarray", units: int, most: int) -> list[tuple[int, float]]:
    values = parts[:units].astype(float).tolist()
    known = [unit for unit, part in enumerate(values) if isfinite(part) and part > 0]
    return [(unit, values[unit]) for unit in sorted(known, key=lambda u: -values[u])[:most]]
