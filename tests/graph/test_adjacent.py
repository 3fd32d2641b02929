"""Nodes next before and behind a node."""

from dataclasses import dataclass

from micrograph.graph import last_before, next_before, next_behind


@dataclass(frozen=True)
class Node:
    id: str
    index: int
    kind: str
    units: int
    shape: tuple[int, ...]
    parents: tuple[str, ...]


def graph(**parents: str) -> dict[str, Node]:
    """Nodes in their order, with their parents in words; `cat` is a concatenation of its parents."""
    found: dict[str, Node] = {}
    for index, (id, given) in enumerate(parents.items()):
        above = tuple(given.split())
        whole = id.startswith("cat")
        units = sum(found[p].units for p in above) if whole else 4
        kind = "concatenation" if whole else "conv"
        found[id] = Node(id, index, kind, units, (8, 8), above)
    return found


NODES = graph(stem="", a="stem", reduce="stem", b="reduce", cat="a b", pool="cat", last="pool")


def test_a_block_of_branches() -> None:
    among = {"stem", "reduce", "cat", "last"}
    assert last_before(NODES, "cat", among) == "stem"
    assert next_before(NODES, "cat", among) == ["reduce", "stem"]
    assert last_before(NODES, "last", among) == "cat"
    assert next_before(NODES, "last", among) == ["cat"]
    assert last_before(NODES, "stem", among) is None
    assert next_before(NODES, "stem", among) == []


def test_behind() -> None:
    among = {"stem", "reduce", "cat", "last"}
    assert next_behind(NODES, "stem", among) == ["reduce", "cat"]
    assert next_behind(NODES, "cat", among) == ["last"]
    assert next_behind(NODES, "last", among) == []


def test_a_part_is_not_what_its_whole_is_built_from() -> None:
    assert next_before(NODES, "cat", {"stem", "a", "b"}) == ["stem"]
