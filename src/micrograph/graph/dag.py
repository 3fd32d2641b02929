"""Order and paths in a graph: the only module that orders nodes and follows edges."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from micrograph.graph.nodes import PlainNode


class Dag:
    """A directed graph without cycles, of ids.

    Its input may be damaged, since atlases come from anywhere. Parents that are not among
    the nodes are left out, and so are edges that run against `order`, which every cycle has.
    Methods raise KeyError for an id that is not there.
    """

    def __init__(
        self, parents: Mapping[str, Sequence[str]], index: Mapping[str, int] | None = None
    ) -> None:
        """`parents` of each node, `index` to order by where the edges leave it open; without one
        it is the order of `parents`."""
        given = {
            node: [p for p in dict.fromkeys(ps) if p in parents] for node, ps in parents.items()
        }
        by = index if index is not None else {node: i for i, node in enumerate(given)}
        self.order: tuple[str, ...] = tuple(_topological(given, by))
        """Parents before children, else by index; the nodes of a cycle, and those behind it, come
        last, by index."""
        self.position: Mapping[str, int] = {node: i for i, node in enumerate(self.order)}
        """Place of each node in `order`."""
        at = self.position
        self.parents: Mapping[str, tuple[str, ...]] = {
            node: tuple(p for p in above if at[p] < at[node]) for node, above in given.items()
        }
        children: dict[str, list[str]] = {node: [] for node in given}
        for node, above in self.parents.items():
            for parent in above:
                children[parent].append(node)
        self.children: Mapping[str, tuple[str, ...]] = {n: tuple(c) for n, c in children.items()}

    @classmethod
    def of(cls, nodes: Iterable[PlainNode]) -> "Dag":
        """The graph of nodes of the engine, or of an atlas."""
        known = list(nodes)
        return cls({n.id: n.parents for n in known}, {n.id: n.index for n in known})

    def __contains__(self, node: object) -> bool:
        return node in self.parents

    @property
    def ends(self) -> list[str]:
        """The nodes without children, in order."""
        return [node for node in self.order if not self.children[node]]

    def ancestors(self, node: str) -> frozenset[str]:
        """All nodes from which a path leads to `node`, without itself."""
        return _reached(node, self.parents)

    def descendants(self, node: str) -> frozenset[str]:
        """All nodes to which a path leads from `node`, without itself."""
        return _reached(node, self.children)

    def between(self, first: str, last: str) -> frozenset[str]:
        """All nodes on any path from `first` to `last`, both among them; none if there is none."""
        below = self.descendants(first) | {first}
        return below & (self.ancestors(last) | {last}) if last in below else frozenset()

    def paths(self, first: str, last: str, limit: int = 100) -> Iterator[tuple[str, ...]]:
        """Paths from `first` to `last`, at most `limit` of what may be very many.

        They come in the order of their nodes in `order`, compared from the start.
        """
        inside = self.between(first, last)
        todo: list[tuple[str, ...]] = [(first,)] if inside else []
        while todo and limit > 0:
            path = todo.pop()
            if path[-1] == last:
                limit -= 1
                yield path
                continue
            below = (child for child in self.children[path[-1]] if child in inside)
            nearest_last = sorted(below, key=self.position.__getitem__, reverse=True)
            todo += [(*path, child) for child in nearest_last]

    def dominators(self, node: str) -> tuple[str, ...]:
        """The nodes that every path to `node` passes, from the first to `node` itself.

        Paths begin at nodes without parents.
        """
        mask = self._dominators[node]
        return tuple(n for i, n in enumerate(self.order) if mask >> i & 1)

    def immediate_dominator(self, node: str) -> str | None:
        """The last node that every path to `node` passes before it; None if there is none."""
        before = self._dominators[node] & ~(1 << self.position[node])
        return self.order[before.bit_length() - 1] if before else None

    def blocks(self) -> list[list[str]]:
        """`order`, cut behind each node that dominates all nodes after it.

        Each block ends in the dominator that closes it, and no edge jumps over that one.
        """
        always = (1 << len(self.order)) - 1
        cuts = []
        for i, node in reversed(list(enumerate(self.order))):
            if always >> i & 1:
                cuts.append(i + 1)
            always &= self._dominators[node]
        starts = pairwise([0, *reversed(cuts)])
        return [[*self.order[first:after]] for first, after in starts]

    @cached_property
    def _dominators(self) -> dict[str, int]:
        """The dominators of each node, as a number with the bits of their positions set."""
        found: dict[str, int] = {}
        for i, node in enumerate(self.order):
            always = -1  # all bits: no path has been looked at
            for parent in self.parents[node]:
                always &= found[parent]
            found[node] = (always if self.parents[node] else 0) | 1 << i
        return found


def _reached(node: str, edges: Mapping[str, Sequence[str]]) -> frozenset[str]:
    found: set[str] = set()
    todo = list(edges[node])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += edges[name]
    return frozenset(found)


def _topological(parents: Mapping[str, Sequence[str]], index: Mapping[str, int]) -> list[str]:
    """Nodes so that parents come first, else by `index`. A cycle's nodes come last, by index."""
    children: dict[str, list[str]] = {n: [] for n in parents}
    missing = {n: len(ps) for n, ps in parents.items()}
    for node, above in parents.items():
        for parent in above:
            children[parent].append(node)
    ready = [(index[n], n) for n, count in missing.items() if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        _, node = heapq.heappop(ready)
        order.append(node)
        for child in children[node]:
            missing[child] -= 1
            if missing[child] == 0:
                heapq.heappush(ready, (index[child], child))
    left = set(parents) - set(order)
    return order + sorted(left, key=lambda n: (index[n], n))
