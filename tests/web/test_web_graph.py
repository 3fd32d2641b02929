"""The drawing of a graph: nothing overlaps, edges run down, any graph will do."""

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web_samples import NODES, node

from micrograph.web.column import FULL, INPUT, MAP
from micrograph.web.graph import layout


def overlap(a, b) -> bool:
    return (
        a.x < b.x + b.width
        and b.x < a.x + a.width
        and a.y < b.y + b.height
        and b.y < a.y + a.height
    )


def check(drawing, nodes, sizes):
    assert {b.id for b in drawing.boxes} == {n.id for n in nodes} | {INPUT}
    for a, b in itertools.combinations(drawing.boxes, 2):
        assert not overlap(a, b), (a, b)
    for box in drawing.boxes:
        assert box.x >= 0
        assert box.x + box.width <= drawing.width + 1e-6
        assert 0 <= box.y <= box.y + box.height <= drawing.height + 1e-6
    place = {b.id: b for b in drawing.boxes}
    for source, target, path in drawing.edges:
        above, below = place[source], place[target]
        numbers = [float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", path)]
        if (
            above.x + above.width < below.x
            and above.y <= below.y + below.height
            and (numbers[0] == pytest.approx(above.x + above.width, abs=0.01, rel=1e-4))
        ):  # to something at the side
            assert numbers[-2:] == pytest.approx(
                [below.x, below.y + below.height / 2], abs=0.01, rel=1e-4
            )
            continue
        assert above.y + above.height < below.y
        assert numbers[:2] == pytest.approx(
            [above.x + above.width / 2, above.y + above.height], abs=0.01, rel=1e-4
        )
        assert numbers[-1] == pytest.approx(below.y, abs=0.01, rel=1e-4)


def inception(blocks_count=9):
    nodes, last = [node("conv", 0, 8)], "conv"

    def add(name, parents, kind="conv"):
        nodes.append(node(name, len(nodes), 8, tuple(parents), kind))
        return name

    for i in range(blocks_count):
        a = add(f"m{i}_1x1", [last])
        b = add(f"m{i}_3x3", [add(f"m{i}_3x3_reduce", [last])])
        c = add(f"m{i}_5x5", [add(f"m{i}_5x5_reduce", [last])])
        d = add(f"m{i}_proj", [add(f"m{i}_pool", [last], "pool")])
        last = add(f"m{i}", [a, b, c, d], "concat")
    return tuple(nodes)


@pytest.mark.parametrize("sizes", [FULL, MAP])
def test_inception_modules_become_blocks(sizes):
    nodes = inception()
    drawing = layout(nodes, sizes)
    check(drawing, nodes, sizes)
    assert [g.title for g in drawing.groups] == [f"m{i}" for i in range(9)]
    place = {b.id: b for b in drawing.boxes}
    outputs = [place[f"m0_{name}"] for name in ("1x1", "3x3", "5x5", "proj")]
    assert len({b.y + b.height for b in outputs}) == 1
    assert [b.x for b in outputs] == sorted(b.x for b in outputs)
    assert [b.label for b in outputs] == ["1x1", "3x3", "5x5", "proj"]
    for upper, lower in (("3x3_reduce", "3x3"), ("pool", "proj")):
        a, b = place[f"m0_{upper}"], place[f"m0_{lower}"]
        assert a.x + a.width / 2 == pytest.approx(b.x + b.width / 2)


def test_auxiliary_heads_stand_at_the_side():
    """The modules that everything else passes through stay blocks of their own."""
    nodes = [*inception()]
    for block in ("m3", "m6"):
        last = block
        for name in ("pool", "fc", "softmax"):
            nodes.append(node(f"head_{block}_{name}", len(nodes), 8, (last,)))
            last = nodes[-1].id
    drawing = layout(tuple(nodes), FULL)
    check(drawing, nodes, FULL)
    assert drawing.groups == layout(inception(), FULL).groups
    place = {b.id: b for b in drawing.boxes}
    right = max(b.x + b.width for b in drawing.boxes if not b.id.startswith("head"))
    for block in ("m3", "m6"):
        column = [place[f"head_{block}_{name}"] for name in ("pool", "fc", "softmax")]
        assert all(box.x > right for box in column)
        assert column[0].y == place[block].y
        assert [box.y for box in column] == sorted(box.y for box in column)


def test_fires_and_residuals():
    fire = (
        node("squeeze", 0, 8),
        node("e1", 1, 8, ("squeeze",)),
        node("e3", 2, 8, ("squeeze",)),
        node("cat", 3, 16, ("e1", "e3")),
        node("body", 4, 16, ("cat",)),
        node("add", 5, 16, ("cat", "body"), "add"),
        node("out", 6, 16, ("add",)),
    )
    drawing = layout(fire)
    check(drawing, fire, FULL)
    skip = next(path for a, b, path in drawing.edges if (a, b) == ("cat", "add"))
    body = next(b for b in drawing.boxes if b.id == "body")
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", skip)]
    assert max(numbers[0::2]) > body.x + body.width


def test_nodes_without_pictures_are_drawn_thin():
    drawing = layout(NODES, FULL, frozenset({"empty", "mixed1a_1x1"}))
    check(drawing, NODES, FULL)
    roles = {b.id: b.role for b in drawing.boxes}
    assert (roles["empty"], roles["mixed1a_1x1"], roles["wide"]) == ("thin", "thin", "wide")


def test_a_norm_that_the_engine_found_worth_seeing_is_drawn_large():
    nodes = tuple(
        replace(node(name, i, 8, (f"bn{i - 1}",) if i else (), "norm"), worth=worth)
        for i, (name, worth) in enumerate({"bn0": None, "bn1": False, "bn2": True}.items())
    )
    roles = {b.id: b.role for b in layout(nodes).boxes if b.id != INPUT}
    assert roles == {"bn0": "thin", "bn1": "thin", "bn2": "wide"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, 7), max_size=3), min_size=1, max_size=7))
def test_cycles_of_a_damaged_atlas_are_drawn(parents):
    """Every node has its place, even those that lead to themselves."""
    nodes = tuple(
        node(f"n{i}", i, 4, tuple(f"n{p}" for p in sorted(above)))
        for i, above in enumerate(parents)
    )
    drawing = layout(nodes)
    assert {b.id for b in drawing.boxes} == {n.id for n in nodes} | {INPUT}
    for a, b in itertools.combinations(drawing.boxes, 2):
        assert not overlap(a, b), (a, b)


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 25))
    nodes = []
    for i in range(count):
        parents = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set()
        kind = draw(st.sampled_from(["conv", "pool", "add"]))
        nodes.append(node(f"n{i}", i, 4, tuple(f"n{p}" for p in sorted(parents)), kind))
    return tuple(nodes)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_any_graph_is_drawn_without_overlap(nodes):
    check(layout(nodes), nodes, FULL)


def test_a_graph_of_hundreds_of_nodes_without_dominators():
    nodes = tuple(
        node(f"n{i}", i, 4, tuple(f"n{p}" for p in {max(0, i - 1), i * 2 // 3, i // 2} if p < i))
        for i in range(300)
    )
    check(layout(nodes), nodes, FULL)
