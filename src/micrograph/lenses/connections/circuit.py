"""The circuit of a unit: its strongest inputs, and theirs, from the connections that are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from micrograph.atlas.reading import Reading
from micrograph.lenses.connections.stored import (
    StoredConnection,
    connections_of,
    rest_in_words,
    stored_connections,
)

SIGNS = ("all", "excites", "inhibits")
DEEPEST, WIDEST = 3, 8
COLUMN = 24
"""Units of a column at most: the most influential, and those that are pinned."""

Place = tuple[str, int]
"""A node and a unit of it."""


@dataclass(frozen=True, kw_only=True)
class CircuitChoice:
    """What of a circuit is to be shown: how many steps back, how many inputs of each unit, of which
    sign; units that are shown wherever they are an input, and others that are never."""

    depth: int = 2
    width: int = 4
    sign: str = "all"
    pinned: tuple[Place, ...] = ()
    removed: tuple[Place, ...] = ()

    def fits(self, strength: float) -> bool:
        """Whether a connection of that strength has the sign."""
        return self.sign == "all" or (strength != 0 and (strength > 0) == (self.sign == "excites"))


@dataclass(frozen=True, kw_only=True)
class CircuitUnit:
    """A unit that is shown. `influence` is the share of its weights along all ways to the target
    that are shown, 1 for the target itself. `others` are its inputs that are not shown, `rest`
    their share of the absolute weights of all; None where its inputs were not looked for."""

    id: str
    node: str
    unit: int
    influence: float
    pinned: bool
    others: int | None = None
    rest: float | None = None
    rest_in_words: str = ""


@dataclass(frozen=True, kw_only=True)
class CircuitEdge:
    """The weights of the unit `source` in the unit `target`, as `StoredConnection` has them."""

    source: str
    target: str
    strength: float
    share: float
    kernel: list[list[float]]


@dataclass(frozen=True, kw_only=True)
class CircuitColumn:
    """Units of one node, which has `count`; `left_out` more were strong enough and had no room.
    `scale` is the largest absolute weight in the kernels from these units to the next column."""

    node: str
    count: int
    left_out: int
    scale: float
    units: list[CircuitUnit]


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """`columns` go from the target back; `edges` are all stored weights between units that are
    shown, of the sign asked for.

    `lacking` is the node whose connections would have to be stored to go on, "" for none; `ends`
    says why there is nothing further back. `unplaced` are pinned units that are not among the
    stored inputs of what is shown. `notes` say what was made linear.
    """

    columns: list[CircuitColumn]
    edges: list[CircuitEdge]
    lacking: str = ""
    ends: str = ""
    unplaced: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def target(self) -> CircuitUnit:
        """The unit whose circuit it is."""
        return self.columns[0].units[0]


def circuit(atlas: Reading, node: str, unit: int, choice: CircuitChoice) -> Circuit:
    """The circuit of a unit that is there, as far as its connections are stored."""
    columns: list[CircuitColumn] = []
    edges: list[CircuitEdge] = []
    notes: dict[str, None] = {}
    at, influence, left_out, scale = node, {unit: 1.0}, 0, 0.0
    while True:
        done = len(columns) == choice.depth
        step = _Step() if done else _step(atlas, at, influence, choice, columns)
        columns.append(
            CircuitColumn(
                node=at,
                count=atlas.nodes[at].units,
                left_out=left_out,
                scale=scale,
                units=[_unit(at, u, share, choice, step) for u, share in influence.items()],
            )
        )
        into = [
            CircuitEdge(
                source=f"{step.other}/{one.unit}",
                target=f"{at}/{u}",
                strength=one.strength,
                share=one.share,
                kernel=one.kernel,
            )
            for u, drawn in step.drawn.items()
            for one in drawn
        ]
        edges += into
        scale = max((abs(w) for e in into for row in e.kernel for w in row), default=0.0)
        notes |= dict.fromkeys(step.notes)
        if not step.influence:
            break
        at, influence, left_out = step.other, step.influence, step.left_out
    shown = {one.id for column in columns for one in column.units}
    return Circuit(
        columns=columns,
        edges=edges,
        lacking=step.lacking,
        ends=step.ends,
        unplaced=[id for n, u in choice.pinned if (id := f"{n}/{u}") not in shown],
        notes=list(notes),
    )


@dataclass(frozen=True, kw_only=True)
class _Step:
    """From the units of a column to their inputs in the node `other`: those with an `influence`
    are shown, `drawn` are the connections by target, of all its `count`."""

    other: str = ""
    count: int = 0
    drawn: dict[int, list[StoredConnection]] = field(default_factory=dict)
    influence: dict[int, float] = field(default_factory=dict)
    left_out: int = 0
    lacking: str = ""
    ends: str = ""
    notes: tuple[str, ...] = ()


def _step(
    atlas: Reading,
    at: str,
    column: Mapping[int, float],
    choice: CircuitChoice,
    before: Sequence[CircuitColumn],
) -> _Step:
    result = stored_connections(atlas, at, "inputs")
    if result is None:
        return _Step(lacking=at)
    if result.reason:
        return _Step(ends=result.reason)
    other = result.other
    if other not in atlas.nodes or other in (at, *(one.node for one in before)):
        return _Step(ends=f"the atlas names no node that {at} is built from")
    pinned = {u for n, u in choice.pinned if n == other}
    removed = {u for n, u in choice.removed if n == other}
    units = atlas.nodes[other].units
    stored = {u: connections_of(result, u) for u in column}
    usable = {
        u: sorted(
            (
                one
                for one in found
                if one.unit < units
                and one.unit not in removed
                and (one.unit in pinned or choice.fits(one.strength))
            ),
            key=lambda one: -one.share,
        )
        for u, found in stored.items()
        if found is not None
    }
    # The pinned ones come on top, whatever their sign and strength.
    fitting = {u: [i for i in found if choice.fits(i.strength)] for u, found in usable.items()}
    wanted = {one.unit for found in fitting.values() for one in found[: choice.width]}
    wanted |= {one.unit for found in usable.values() for one in found if one.unit in pinned}
    weighed: dict[int, float] = dict.fromkeys(sorted(wanted), 0.0)
    for u, found in usable.items():
        for one in found:
            if one.unit in wanted:
                weighed[one.unit] += column[u] * one.share
    ranked = sorted(weighed, key=lambda u: (u not in pinned, -weighed[u]))
    kept = set(ranked[: max(COLUMN, len(pinned & wanted))])
    drawn = {u: [one for one in found if one.unit in kept] for u, found in usable.items()}
    return _Step(
        other=other,
        count=result.count,
        drawn=drawn,
        influence={u: weighed[u] for u in _in_order(kept, drawn, weighed)},
        left_out=len(wanted) - len(kept),
        notes=result.notes,
    )


def _in_order(
    kept: set[int], drawn: Mapping[int, Sequence[StoredConnection]], weighed: Mapping[int, float]
) -> list[int]:
    """From top to bottom: near what they are an input of, so that few lines cross; of those of one
    unit the exciting ones first, each the strongest first."""
    rows: dict[int, float] = dict.fromkeys(kept, 0.0)
    shares, strengths = dict.fromkeys(kept, 0.0), dict.fromkeys(kept, 0.0)
    for row, found in enumerate(drawn.values()):
        for one in found:
            rows[one.unit] += row * one.share
            shares[one.unit] += one.share
            strengths[one.unit] += one.strength
    middle = {u: rows[u] / shares[u] if shares[u] > 0 else 0.0 for u in kept}
    return sorted(kept, key=lambda u: (round(middle[u]), strengths[u] < 0, -weighed[u], u))


def _unit(
    node: str, unit: int, influence: float, choice: CircuitChoice, step: _Step
) -> CircuitUnit:
    others = rest = None
    if (drawn := step.drawn.get(unit)) is not None:
        others = max(0, step.count - len(drawn))
        rest = min(1.0, max(0.0, 1 - sum(one.share for one in drawn))) if others else 0.0
    return CircuitUnit(
        id=f"{node}/{unit}",
        node=node,
        unit=unit,
        influence=influence,
        pinned=(node, unit) in choice.pinned,
        others=others,
        rest=rest,
        rest_in_words="" if others is None or rest is None else rest_in_words(others, rest),
    )
