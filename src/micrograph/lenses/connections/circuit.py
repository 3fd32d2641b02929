"""The circuit of a unit: its strongest inputs, and theirs, from the connections that are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from micrograph.atlas.concatenations import concatenations
from micrograph.atlas.reading import Reading
from micrograph.lenses.connections.inputs import (
    LackingOrder,
    NodeInputs,
    all_inputs,
    inputs_by_activation,
    lacking_pairs,
    listed_inputs,
)
from micrograph.lenses.connections.lens import LENS
from micrograph.lenses.connections.stored import StoredConnection, rest_in_words

SIGNS = ("all", "excites", "inhibits")
BRANCHES = ("merged", "apart")
DEEPEST, WIDEST = 3, 8
MOST_NAMED, LONGEST_NAMED = 64, 4000
"""Units that may be pinned, or removed, and the signs of their names with commas between."""
COLUMN = 24
"""Units of a column at most: the most influential, and those that are pinned."""

Place = tuple[str, int]
"""A node and a unit of it."""


@dataclass(frozen=True, kw_only=True)
class CircuitChoice:
    """What of a circuit is to be shown: how many steps back, how many inputs of each unit, of which
    sign, ordered by weight or by weight x activation; units that are shown wherever they are an
    input, and others that are never. With `branches` "apart" so many inputs are shown of each
    branch of a concatenation."""

    depth: int = 2
    width: int = 4
    sign: str = "all"
    order: str = "weight"
    branches: str = "merged"
    pinned: tuple[Place, ...] = ()
    removed: tuple[Place, ...] = ()

    def fits(self, strength: float) -> bool:
        """Whether a connection of that strength has the sign."""
        return self.sign == "all" or (strength != 0 and (strength > 0) == (self.sign == "excites"))


@dataclass(frozen=True, kw_only=True)
class BranchRest:
    """Of a unit's inputs those that come from a branch and are not shown: how many, and their share
    of all of its inputs."""

    branch: str
    others: int
    rest: float


@dataclass(frozen=True, kw_only=True)
class CircuitUnit:
    """A unit that is shown. `influence` is the share of its weights along all ways to the target
    that are shown, 1 for the target itself. `others` are its inputs that are not shown, `rest`
    their share of the absolute weights of all; None where its inputs were not looked for.

    With branches apart `branch` is the node whose unit `branch_unit` it is, "" where its node is no
    concatenation, and `branch_rests` say what is not shown of each branch of its inputs."""

    id: str
    node: str
    unit: int
    influence: float
    pinned: bool
    others: int | None = None
    rest: float | None = None
    rest_in_words: str = ""
    branch: str = ""
    branch_unit: int | None = None
    branch_rests: list[BranchRest] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CircuitEdge:
    """The weights of the unit `source` in the unit `target`, as `StoredConnection` has them."""

    source: str
    target: str
    strength: float
    share: float
    kernel: list[list[float]]
    typical: float | None = None


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

    `lacking` is the node whose connections would have to be stored to go on, "" for none, and
    `needs` what of them; `ends` says why there is nothing further back. `datasets` are those whose
    activations were taken. `unplaced` are pinned units that are not among the
    stored inputs of what is shown. `notes` say what was made linear.
    """

    columns: list[CircuitColumn]
    edges: list[CircuitEdge]
    lacking: str = ""
    ends: str = ""
    unplaced: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    needs: LackingOrder | None = None
    datasets: list[str] = field(default_factory=list)

    @property
    def target(self) -> CircuitUnit:
        """The unit whose circuit it is."""
        return self.columns[0].units[0]


def circuit(atlas: Reading, node: str, unit: int, choice: CircuitChoice) -> Circuit:
    """The circuit of a unit that is there, as far as its connections are stored."""
    columns: list[CircuitColumn] = []
    edges: list[CircuitEdge] = []
    notes: dict[str, None] = {}
    datasets: dict[str, None] = {}
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
                units=[_unit(atlas, at, u, share, choice, step) for u, share in influence.items()],
            )
        )
        into = [
            CircuitEdge(
                source=f"{step.other}/{one.unit}",
                target=f"{at}/{u}",
                strength=one.strength,
                share=one.share,
                kernel=one.kernel,
                typical=one.typical,
            )
            for u, drawn in step.drawn.items()
            for one in drawn
        ]
        edges += into
        scale = max((abs(w) for e in into for row in e.kernel for w in row), default=0.0)
        notes |= dict.fromkeys(step.notes)
        datasets |= dict.fromkeys([step.dataset] if step.dataset else [])
        if not step.influence:
            break
        at, influence, left_out = step.other, step.influence, step.left_out
    shown = {one.id for column in columns for one in column.units}
    return Circuit(
        columns=columns,
        edges=edges,
        lacking=step.needs.node if step.needs and step.needs.technique else "",
        ends=step.ends,
        unplaced=[id for n, u in choice.pinned if (id := f"{n}/{u}") not in shown],
        notes=list(notes),
        needs=step.needs if step.needs and step.needs.technique else None,
        datasets=list(datasets),
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
    needs: LackingOrder | None = None
    ends: str = ""
    notes: tuple[str, ...] = ()
    dataset: str = ""
    branch_rests: dict[int, list[BranchRest]] = field(default_factory=dict)


def _inputs(atlas: Reading, node: str, choice: CircuitChoice) -> NodeInputs | LackingOrder:
    if choice.order == "activation":
        return inputs_by_activation(atlas, node)
    if choice.branches == "apart":
        if (lacking := lacking_pairs(atlas, node)) is not None:
            return lacking
        every = all_inputs(atlas, node)
        assert every is not None
        return every
    why = f"no connections of {node} are stored"
    return listed_inputs(atlas, node) or LackingOrder(why, LENS.name, node)


def _step(
    atlas: Reading,
    at: str,
    column: Mapping[int, float],
    choice: CircuitChoice,
    before: Sequence[CircuitColumn],
) -> _Step:
    result = _inputs(atlas, at, choice)
    if isinstance(result, LackingOrder):
        return _Step(needs=result, ends="" if result.technique else result.why)
    if result.reason:
        return _Step(ends=result.reason)
    other = result.other
    if other not in atlas.nodes or other in (at, *(one.node for one in before)):
        return _Step(ends=f"the atlas names no node that {at} is built from")
    pinned = {u for n, u in choice.pinned if n == other}
    removed = {u for n, u in choice.removed if n == other}
    units = atlas.nodes[other].units
    stored = {u: result.of(u) for u in column}
    branches = _Branches.of(atlas, other) if choice.branches == "apart" else _Branches()
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
    chosen = {
        u: {one.unit for some in branches.divided(found).values() for one in some[: choice.width]}
        for u, found in fitting.items()
    }
    wanted = {unit for units in chosen.values() for unit in units}
    wanted |= {one.unit for found in usable.values() for one in found if one.unit in pinned}
    # Of all pairs only those are looked at for which a unit was chosen: any two have weights.
    linked = {
        u: [
            one
            for one in found
            if not result.complete or one.unit in chosen[u] or one.unit in pinned
        ]
        for u, found in usable.items()
    }
    weighed: dict[int, float] = dict.fromkeys(sorted(wanted), 0.0)
    for u, found in linked.items():
        for one in found:
            if one.unit in wanted:
                weighed[one.unit] += column[u] * one.share
    ranked = sorted(weighed, key=lambda u: (u not in pinned, -weighed[u]))
    kept = set(ranked[: max(COLUMN, len(pinned & wanted))])
    drawn = {u: [one for one in found if one.unit in kept] for u, found in linked.items()}
    return _Step(
        other=other,
        count=result.count,
        drawn=drawn,
        influence={
            u: weighed[u] for u in sorted(_in_order(kept, drawn, weighed), key=branches.place)
        },
        left_out=len(wanted) - len(kept),
        notes=result.notes,
        dataset=result.dataset,
        branch_rests={
            u: branches.rests(stored[u] or [], shown)
            for u, shown in drawn.items()
            if branches.parts
        },
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


@dataclass(frozen=True)
class _Branches:
    """The branches of a concatenation by their first unit, in order; none of another node."""

    parts: tuple[tuple[int, str], ...] = ()
    units: int = 0

    @classmethod
    def of(cls, atlas: Reading, node: str) -> "_Branches":
        found = concatenations(atlas).items()
        parts = sorted((first, part) for part, (whole, first) in found if whole == node)
        return cls(tuple(parts), atlas.nodes[node].units)

    def place(self, unit: int) -> int:
        """The number of the branch that a unit comes from; -1 for none."""
        return sum(first <= unit for first, _ in self.parts) - 1

    def divided(self, found: Sequence[StoredConnection]) -> dict[int, list[StoredConnection]]:
        """Inputs by the number of their branch."""
        parts: dict[int, list[StoredConnection]] = {}
        for one in found:
            parts.setdefault(self.place(one.unit), []).append(one)
        return parts

    def rests(
        self, every: Sequence[StoredConnection], shown: Sequence[StoredConnection]
    ) -> list[BranchRest]:
        """What is not shown of each branch. All inputs are known."""
        all_of, shown_of = self.divided(every), self.divided(shown)
        ends = [*(first for first, _ in self.parts[1:]), self.units]
        return [
            BranchRest(
                branch=name,
                others=end - first - len(shown_of.get(number, ())),
                rest=max(
                    0.0,
                    sum(one.share for one in all_of.get(number, ()))
                    - sum(one.share for one in shown_of.get(number, ())),
                ),
            )
            for number, ((first, name), end) in enumerate(zip(self.parts, ends, strict=True))
        ]


def _unit(
    atlas: Reading, node: str, unit: int, influence: float, choice: CircuitChoice, step: _Step
) -> CircuitUnit:
    others = rest = None
    branches = _Branches.of(atlas, node) if choice.branches == "apart" else _Branches()
    number = branches.place(unit)
    first, branch = branches.parts[number] if number >= 0 else (0, "")
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
        rest_in_words=""
        if others is None or rest is None
        else rest_in_words(others, rest, by_activation=bool(step.dataset)),
        branch=branch,
        branch_unit=unit - first if branch else None,
        branch_rests=step.branch_rests.get(unit, []),
    )
