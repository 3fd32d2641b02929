"""Parts of concatenations, and which nodes are worth seeing, from plain records."""

from dataclasses import replace

import samples
import web_samples

from micrograph.atlas import NodeRecord
from micrograph.graph import Join, is_drawn_small, join_of, parts_of, stored_worth_seeing

NODES = {node.id: node for node in web_samples.NODES}


def node(id: str, units: int, parents: str = "", kind: str = "conv") -> NodeRecord:
    return samples.node(id, 0, units, tuple(parents.split()), kind=kind)


def ids(nodes: list[NodeRecord]) -> list[str]:
    return [n.id for n in nodes]


def test_parts_of_a_concatenation() -> None:
    assert parts_of(NODES) == {"mixed1a_1x1": ("mixed1a", 0), "mixed1a_3x3": ("mixed1a", 6)}


def test_joins() -> None:
    nodes = {
        n.id: n
        for n in [
            node("a", 4),
            node("b", 4),
            node("c", 6),
            node("cat", 10, "a c"),
            node("sum", 4, "a b", "add"),
            node("block", 4, "a b", "block"),
            node("attention", 4, "a b", "attention"),
            node("conv", 8, "a c"),
            node("half", 4, "a lost", "add"),
        ]
    }
    joins = {id: join_of(n, nodes) for id, n in nodes.items()}
    assert joins == dict.fromkeys(nodes) | {
        "cat": Join.CAT,
        "sum": Join.ADD,
        "block": Join.ADD,
    }


def test_an_atlas_that_does_not_say() -> None:
    """Neither the pool nor the branches, whose units the concatenation has."""
    assert ids(stored_worth_seeing(NODES)) == [
        "conv0",
        "mixed1a_3x3_reduce",
        "mixed1a",
        "wide",
        "empty",
        "logits",
    ]


def test_an_atlas_that_says_is_believed() -> None:
    said = {id: replace(n, worth=id in ("pool0", "mixed1a_1x1")) for id, n in NODES.items()}
    assert ids(stored_worth_seeing(said)) == ["pool0", "mixed1a_1x1"]


def test_nodes_drawn_small_are_those_that_pass_on_unless_the_engine_says_otherwise() -> None:
    small = node("n", 4, kind="norm")
    assert is_drawn_small(small)
    assert is_drawn_small(replace(small, worth=False))
    assert not is_drawn_small(replace(small, worth=True))
    assert not is_drawn_small(replace(node("n", 4), worth=False))
