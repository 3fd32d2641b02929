"""Repeated blocks of a graph as one box each: the same structure is drawn once.

A block is a run of nodes whose ids begin with the same name (`layer3.4`, `blocks.7`, `Mixed_5c`)
and that stands in series with another of a name alike. A block with the same inner structure as
one before it is folded: only its nodes that others read stay.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from micrograph.atlas.records import NodeRecord
from micrograph.graph import Dag, NodeKind

ALL = "all"
"""In place of a block's name: none is folded."""
FEWEST = 3
"""Nodes of a block that is worth folding."""


@dataclass(frozen=True)
class Fold:
    """A block like the block `like` before it. `inside` are the nodes that are left out where it is
    `folded`; it can also be open."""

    block: str
    like: str
    inside: tuple[str, ...]
    folded: bool


@dataclass(frozen=True)
class Folded:
    """What is left to draw: `nodes`, with parents among them; `folds` by the last node of their
    block; `labels`, pairs of a node and its name within its block (nodes that others read keep
    their id)."""

    nodes: tuple[NodeRecord, ...]
    folds: Mapping[str, Fold]
    labels: frozenset[tuple[str, str]]

    @property
    def names(self) -> list[str]:
        """The blocks that can be opened."""
        return [fold.block for fold in self.folds.values()]


@lru_cache(maxsize=128)
def fold(nodes: tuple[NodeRecord, ...], open: str = "", here: str = "") -> Folded:
    """Fold all blocks like one before them, but not the one called `open`, nor the one around the
    node `here`; `open` may be ALL."""
    by_id = {node.id: node for node in nodes}
    blocks = _blocks(by_id)
    dag = Dag.of(nodes)
    seen: dict[tuple[object, ...], str] = {}
    folds: dict[str, Fold] = {}
    labels: dict[str, str] = {}
    hidden: set[str] = set()
    for name, members in blocks.items():
        ends = [m for m in members if not dag.children[m] or not {*dag.children[m]} <= {*members}]
        labels |= {m: m if m in ends else m.removeprefix(f"{name}.") for m in members}
        like = seen.setdefault(_structure(name, members, by_id), name)
        inside = tuple(m for m in members if m not in ends)
        if like == name or len(inside) < FEWEST - 1:
            continue
        folded = open not in (name, ALL) and here not in inside
        folds[ends[-1]] = Fold(name, like, inside, folded)
        if folded:
            hidden.update(inside)

    def shown(parents: Iterable[str]) -> list[str]:
        """The nearest nodes above that are drawn."""
        found: list[str] = []
        for parent in parents:
            found += shown(dag.parents[parent]) if parent in hidden else [parent]
        return [*dict.fromkeys(found)]

    kept = tuple(
        replace(n, parents=tuple(shown(n.parents))) if hidden.intersection(n.parents) else n
        for n in nodes
        if n.id not in hidden
    )
    return Folded(kept, folds, frozenset(labels.items()))


def _blocks(nodes: Mapping[str, NodeRecord]) -> dict[str, list[str]]:
    """The blocks and their nodes, in the order of the graph. No node is in two: the longest name
    counts, so that `layer3.4` is a block and not `layer3`."""
    found: dict[str, list[str]] = {}
    for node in nodes.values():
        if not NodeKind.of(node.kind).is_attached:
            for prefix in _prefixes(node.id):
                found.setdefault(prefix, []).append(node.id)
    groups = {name: members for name, members in found.items() if len(members) >= FEWEST}
    within: dict[str, set[str]] = {}
    for name, members in groups.items():
        for member in members:
            within.setdefault(member, set()).add(name)
    serial: set[str] = set()
    for node in nodes.values():
        for above in {a for parent in node.parents for a in within.get(parent, ())}:
            for name in within.get(node.id, ()):
                if name != above and _pattern(name) == _pattern(above):
                    serial |= {name, above}
    blocks: dict[str, list[str]] = {}
    for node in nodes.values():
        if names := within.get(node.id, set()) & serial:
            blocks.setdefault(max(names, key=len), []).append(node.id)
    return blocks


def _prefixes(id: str) -> list[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`."""
    parts = id.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _pattern(name: str) -> str:
    """The name with its last number open, and the letter behind it: `Mixed_5c` is `Mixed_#`."""
    return re.sub(r"\d+[a-z]?(?=\D*$)", "#", name)


def _structure(
    name: str, members: Sequence[str], nodes: Mapping[str, NodeRecord]
) -> tuple[object, ...]:
    """The structure by which blocks are compared: names, kinds and edges within. Class tokens are
    left out: their path begins later in the first block."""
    tokens = {id for id, node in nodes.items() if NodeKind.of(node.kind).is_token}
    inside = {m: m.removeprefix(name) for m in members if m not in tokens}
    return tuple(
        (
            short,
            nodes[m].kind,
            tuple(sorted(inside.get(p, "^") for p in nodes[m].parents if p not in tokens)),
        )
        for m, short in inside.items()
    )
