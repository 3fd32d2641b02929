"""Which nodes are worth seeing: decided by the engine, stored in atlases, read by the site."""

from collections.abc import Mapping
from typing import TypeVar

from micrograph.graph.dag import Dag
from micrograph.graph.joins import Join, join_of, parts_of
from micrograph.graph.kinds import NodeKind
from micrograph.graph.nodes import EngineNode, StoredNode

Made = TypeVar("Made", bound=EngineNode)
Stored = TypeVar("Stored", bound=StoredNode)


def worth_seeing(nodes: Mapping[str, Made]) -> list[Made]:
    """Nodes whose units are seen nowhere else, in graph order. This is the engine's decision.

    Left out are pools, norms behind an activation and the like, and nodes whose one consumer shows
    the same units finished or among others: a convolution before its activation, a branch before
    its concatenation, a summand before a sum. Left out, too, are the insides of attention, single
    tokens, what is the same for every picture, and sums in plain code within a block that shows
    their stream at its end.
    """
    decision = _Decision(nodes)
    return [n for n in sorted(nodes.values(), key=lambda n: n.index) if decision.of(n)]


def with_own_units(nodes: Mapping[str, Made]) -> list[Made]:
    """Nodes that make units, whether or not others show them too: not pools and the like."""
    decision = _Decision(nodes)
    return [n for n in nodes.values() if decision.has_own_units(n)]


def stored_worth_seeing(nodes: Mapping[str, Stored]) -> list[Stored]:
    """The same of nodes from an atlas: what the engine said of each when it wrote the atlas.

    Atlases of formats 1 and 2 do not say. Their records lack what the engine decides by (which
    ReLUs a node is behind, which sums no module makes), so that more is taken to be worth seeing:
    every node that is not drawn small and is no branch of a concatenation.
    """
    parts = parts_of(nodes)
    return [
        n
        for n in nodes.values()
        if (n.worth if n.worth is not None else not is_drawn_small(n) and n.id not in parts)
    ]


def is_drawn_small(node: StoredNode) -> bool:
    """Whether a drawing gives the node a small box without pictures: pools, norms and the like,
    unless the engine found this one worth seeing, as a batch norm whose ReLU is no module."""
    return NodeKind.of(node.kind).is_drawn_small and not node.worth


class _Decision:
    """What is worth seeing among `nodes`, asked of one after the other."""

    def __init__(self, nodes: Mapping[str, EngineNode]) -> None:
        self.nodes = nodes
        self.kinds = {id: NodeKind.of(node.kind) for id, node in nodes.items()}
        self.dag = Dag.of(nodes.values())
        self.outputs: dict[str, EngineNode] = {}
        for node in nodes.values():
            for path in (*node.aliases, *(() if node.join else (node.path,))):
                self.outputs.setdefault(path, node)

    def of(self, node: EngineNode) -> bool:
        kind = self.kinds[node.id]
        if kind.is_token or self._is_inside(node) or self._is_shown_by_its_block(node):
            return False
        if kind is NodeKind.CAT and node.join and not node.handed_out:
            return False  # its parts are seen
        return self.has_own_units(node) and not self._is_shown_by_its_reader(node)

    def _is_inside(self, node: EngineNode) -> bool:
        """Whether it is of attention, as all that reads it."""
        if node.attended:
            return True
        readers = self.dag.children[node.id] if self.kinds[node.id].is_attention else ()
        kinds = [kind for r in readers if not (kind := self.kinds[r]).is_token]
        return bool(kinds) and all(kind.is_attention for kind in kinds)

    def _is_shown_by_its_block(self, node: EngineNode) -> bool:
        """Whether it is a sum in plain code on the way to the like output of the module around."""
        if self.kinds[node.id] is not NodeKind.ADD or not node.join or node.handed_out:
            return False
        block = self.outputs.get(node.path)
        return (
            block is not None
            and (block.units, block.shape) == (node.units, node.shape)
            and node.id in self.dag.ancestors(block.id)
        )

    def has_own_units(self, node: EngineNode) -> bool:
        if self.kinds[node.id] is NodeKind.NORM:
            # Batch norm between a convolution and its ReLU makes new units.
            return all(
                (self.kinds[parent].has_weights or self.kinds[parent].is_attention)
                and not self._is_activated(self.nodes[parent])
                and self._readers(parent) == [node.id]
                for parent in self.dag.parents[node.id]
            )
        return node.units > 0 and not node.constant and self.kinds[node.id].has_own_units

    def _is_shown_by_its_reader(self, node: EngineNode) -> bool:
        """Whether the one node that reads it shows the same units, finished or among others."""
        readers = self._readers(node.id, past_scaling=True)
        if len(readers) != 1:
            return False
        reader = self.nodes[readers[0]]
        join = join_of(reader, self.nodes)
        if join is Join.CAT and self._is_seen(reader):
            return True
        if self._is_activated(node):
            return False
        if len(reader.parents) > 1:
            return join in (Join.ADD, Join.MUL)
        kind = self.kinds[reader.id]
        return self.has_own_units(reader) and (
            kind is NodeKind.NORM or kind.is_activation or kind.may_multiply
        )

    def _is_seen(self, node: EngineNode) -> bool:
        """Whether its units are worth seeing where it is, or shown by what reads it."""
        if self.of(node) or self._is_shown_by_its_reader(node):
            return True
        readers = [self.nodes[reader] for reader in self._readers(node.id)]
        return len(readers) == 1 and (
            readers[0].units == node.units
            and not self.kinds[readers[0].id].has_weights
            and self.of(readers[0])  # the same in another order, as shuffled
        )

    def _readers(self, node: str, past_scaling: bool = False) -> list[str]:
        """What reads a node. What shows other units than it reads does not count, nor do tokens;
        `past_scaling` what only scales it is replaced by its own readers."""
        found: list[str] = []
        for reader in self.dag.children[node]:
            kind = self.kinds[reader]
            if kind.is_attached or kind.is_token:
                continue
            seen_through = past_scaling and kind.is_scaling
            found += self._readers(reader, past_scaling) if seen_through else [reader]
        return found

    def _is_activated(self, node: EngineNode) -> bool:
        """True if the values come out of an activation, as far as one can tell."""
        return bool(node.relus) or self.kinds[node.id].is_activation
