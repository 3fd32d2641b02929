"""Orders, dominators and paths of graphs, against all paths written down one by one."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import NODES

from micrograph.graph import Dag

Parents = dict[str, list[str]]


def ids(count: int) -> list[str]:
    return [f"n{i}" for i in range(count)]


@st.composite
def acyclic(draw: st.DrawFn) -> Parents:
    """Up to ten nodes; parents have lower numbers, but the nodes are told in any order."""
    names = ids(draw(st.integers(1, 10)))
    parents = {
        name: [names[p] for p in draw(st.lists(st.integers(0, i - 1), max_size=3))] if i else []
        for i, name in enumerate(names)
    }
    return {name: parents[name] for name in draw(st.permutations(names))}


@st.composite
def any_graph(draw: st.DrawFn) -> Parents:
    """Up to eight nodes with any parents: cycles, the node itself, nodes that are not there."""
    names = ids(draw(st.integers(1, 8)))
    some = st.lists(st.sampled_from([*names, "missing"]), max_size=4)
    return {name: draw(some) for name in names}


def every_path(parents: Parents, first: str, last: str) -> set[tuple[str, ...]]:
    """From `last` upwards, without any cleverness."""
    if first == last:
        return {(first,)}
    return {
        (*path, last)
        for parent in set(parents[last])
        for path in every_path(parents, first, parent)
    }


def pairs(parents: Parents) -> Iterator[tuple[str, str, set[tuple[str, ...]]]]:
    for first in parents:
        for last in parents:
            yield first, last, every_path(parents, first, last)


@given(acyclic())
def test_parents_come_first_and_of_what_is_free_the_lowest_index(parents: Parents) -> None:
    dag = Dag(parents)
    order = list(dag.order)
    index = list(parents)
    assert sorted(order) == sorted(parents)
    for i, node in enumerate(order):
        assert set(parents[node]) <= set(order[:i])
        free = [n for n in order[i:] if set(parents[n]) <= set(order[:i])]
        assert node == min(free, key=index.index)


@given(acyclic())
def test_paths_and_what_is_on_them(parents: Parents) -> None:
    dag = Dag(parents)
    for first, last, paths in pairs(parents):
        found = list(dag.paths(first, last, limit=10_000))
        assert len(found) == len(paths)
        assert set(found) == paths
        assert found == sorted(found, key=lambda path: [dag.position[n] for n in path])
        assert dag.between(first, last) == {node for path in paths for node in path}
        assert (first in dag.ancestors(last)) == (last in dag.descendants(first))
        assert (first in dag.ancestors(last)) == (first != last and bool(paths))


@given(acyclic())
def test_dominators_are_on_every_path_from_every_source(parents: Parents) -> None:
    dag = Dag(parents)
    sources = [node for node, above in parents.items() if not above]
    for node in parents:
        paths = {path for source in sources for path in every_path(parents, source, node)}
        on_all = set.intersection(*map(set, paths))
        found = dag.dominators(node)
        assert set(found) == on_all
        assert list(found) == sorted(found, key=dag.position.__getitem__)
        assert found[-1] == node
        assert dag.immediate_dominator(node) == (found[-2] if len(found) > 1 else None)


@given(acyclic())
def test_blocks_end_where_no_edge_jumps_over(parents: Parents) -> None:
    parents = {node: above or ["in"] for node, above in parents.items()} | {"in": []}
    dag = Dag(parents, {"in": -1} | {node: i for i, node in enumerate(parents) if node != "in"})
    blocks = dag.blocks()
    assert [node for block in blocks for node in block] == list(dag.order)
    at = dag.position
    jumped = {
        at[n]
        for n in dag.order
        for node, above in parents.items()
        for parent in above
        if at[parent] < at[n] < at[node]
    }
    ends = {at[block[-1]] for block in blocks}
    assert ends == set(range(len(dag.order))) - jumped


@given(any_graph())
def test_a_damaged_graph_has_an_order_and_keeps_what_agrees_with_it(parents: Parents) -> None:
    dag = Dag(parents)
    at = dag.position
    assert sorted(dag.order) == sorted(parents)
    for node, above in dag.parents.items():
        assert list(above) == [
            p for p in dict.fromkeys(parents[node]) if p in parents and at[p] < at[node]
        ]
        for parent in above:
            assert node in dag.children[parent]
        assert node == dag.dominators(node)[-1]
        assert node not in dag.ancestors(node)
    assert [node for block in dag.blocks() for node in block] == list(dag.order)


def test_a_cycle_comes_last_by_index() -> None:
    dag = Dag({"a": ["c"], "b": ["a"], "c": ["b"], "d": [], "e": ["c", "d"]})
    assert dag.order == ("d", "a", "b", "c", "e")
    assert dag.parents["a"] == ()
    assert dag.dominators("e") == ("e",)


def test_a_module_and_a_skip() -> None:
    """stem -> (a, b) -> cat -> body -> add, with a line past body."""
    dag = Dag(
        {
            "stem": [],
            "a": ["stem"],
            "b": ["stem"],
            "cat": ["a", "b"],
            "body": ["cat"],
            "add": ["cat", "body"],
        }
    )
    assert dag.blocks() == [["stem"], ["a", "b", "cat"], ["body", "add"]]
    assert dag.dominators("add") == ("stem", "cat", "add")
    assert dag.immediate_dominator("cat") == "stem"
    assert dag.immediate_dominator("stem") is None
    assert dag.between("a", "add") == {"a", "cat", "body", "add"}
    assert dag.between("a", "b") == frozenset()
    assert list(dag.paths("a", "add")) == [("a", "cat", "body", "add"), ("a", "cat", "add")]
    assert dag.ends == ["add"]


def test_of_very_many_paths_only_as_many_as_asked_for() -> None:
    """Sixty modules of two branches have 2 ** 60 paths."""
    parents: Parents = {"m0": []}
    for i in range(60):
        parents |= {f"a{i}": [f"m{i}"], f"b{i}": [f"m{i}"], f"m{i + 1}": [f"a{i}", f"b{i}"]}
    dag = Dag(parents)
    paths = list(dag.paths("m0", "m60", limit=7))
    assert len(set(paths)) == 7
    assert all(path[::2] == tuple(f"m{i}" for i in range(61)) for path in paths)
    assert dag.dominators("m60") == tuple(f"m{i}" for i in range(61))


def test_of_the_nodes_of_an_atlas() -> None:
    dag = Dag.of(reversed(NODES))
    assert dag.order == tuple(node.id for node in NODES)
    assert dag.dominators("logits") == dag.order


@settings(max_examples=5)
@given(st.sampled_from(["ancestors", "descendants", "dominators", "immediate_dominator"]))
def test_an_unknown_node(method: str) -> None:
    with pytest.raises(KeyError):
        getattr(Dag({"a": []}), method)("b")
