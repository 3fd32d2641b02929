"""Repeated blocks: which are alike, what stays of them, and how the page opens them."""

import pytest
from html_document import check_page
from web_client import Client
from web_samples import node

from micrograph.atlas import Library, bundled_catalogue
from micrograph.web import create_app
from micrograph.web.column import FULL, MAP
from micrograph.web.folding import ALL, Folded, fold
from micrograph.web.graph import layout


def residual(depth: int, stride_at: int = -1):
    """A stem, `depth` blocks of two convolutions and a sum with a ReLU behind it, and a head."""
    nodes, last = [node("stem", 0, 8)], "stem"

    def add(name, *parents, kind="conv"):
        nodes.append(node(name, len(nodes), 8, parents, kind))
        return name

    for i in range(depth):
        inner = add(f"stage.{i}.conv2", add(f"stage.{i}.conv1", last))
        skip = add(f"stage.{i}.shortcut", last) if i == stride_at else last
        last = add(f"stage.{i}.out", add(f"stage.{i}.sum", skip, inner, kind="add"), kind="relu")
    add("head", last)
    return tuple(nodes)


def ids(folded: Folded) -> list[str]:
    return [n.id for n in folded.nodes]


def test_a_block_like_one_before_it_is_its_output_alone():
    folded = fold(residual(4, stride_at=2))
    assert ids(folded) == [
        "stem",
        *(f"stage.0.{n}" for n in ("conv1", "conv2", "sum", "out")),
        "stage.1.out",
        *(f"stage.2.{n}" for n in ("conv1", "conv2", "shortcut", "sum", "out")),
        "stage.3.out",
        "head",
    ]
    assert {n.id: n.parents for n in folded.nodes}["stage.3.out"] == ("stage.2.out",)
    one = folded.folds["stage.1.out"]
    assert (one.block, one.like, one.folded) == ("stage.1", "stage.0", True)
    assert one.inside == ("stage.1.conv1", "stage.1.conv2", "stage.1.sum")
    assert folded.names == ["stage.1", "stage.3"]


@pytest.mark.parametrize(
    ("open", "here", "opened"),
    [
        ("stage.3", "", {"stage.3"}),
        (ALL, "", {"stage.1", "stage.2", "stage.3"}),
        ("", "stage.2.conv2", {"stage.2"}),
        ("", "stage.2.out", set()),
        ("", "head", set()),
    ],
)
def test_blocks_open_by_name_and_around_a_node(open, here, opened):
    nodes = residual(4)
    folded = fold(nodes, open, here)
    assert {f.block for f in folded.folds.values() if not f.folded} == opened
    assert len(folded.nodes) == len(nodes) - 3 * (3 - len(opened))
    if here:
        assert here in ids(folded)
    if open == ALL:
        assert folded.nodes == nodes


def test_branches_and_nodes_without_a_series_are_no_blocks():
    names = ["a.1.x", "a.1.y", "a.1.z", "a.2.x", "a.2.y", "a.2.z"]
    side_by_side = [node("in", 0, 8)]
    for i, name in enumerate(names):
        parent = "in" if name.endswith("x") else names[i - 1]
        side_by_side.append(node(name, i + 1, 8, (parent,)))
    side_by_side.append(node("cat", 7, 16, ("a.1.z", "a.2.z"), "concat"))
    assert fold(tuple(side_by_side)).nodes == tuple(side_by_side)
    plain = tuple(node(f"conv{i}", i, 8, (f"conv{i - 1}",) if i else ()) for i in range(9))
    assert fold(plain).nodes == plain


def test_a_dictionary_keeps_the_node_that_it_reads():
    nodes = (*residual(3), node("stage.2.conv1.sae", 99, 64, ("stage.2.conv1",), "dictionary"))
    folded = fold(nodes)
    assert {"stage.2.conv1", "stage.2.conv1.sae"} <= {*ids(folded)}
    assert "stage.2.conv2" not in ids(folded)


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("contrastive_16x", 70),
        ("contrastive_v2", 60),
        ("resnetv2_50_slim", 40),
        ("inceptionv4_slim", 80),
        ("toytown_vit", 40),
    ],
)
def test_large_models_are_small_folded_and_hide_no_way(model, most):
    atlas = Library([], bundled_catalogue()).model(model)
    nodes = tuple(atlas.nodes.values())
    folded = fold(nodes)
    assert len(folded.nodes) <= most
    kept = {*ids(folded)}
    inside = {i for f in folded.folds.values() for i in f.inside}
    assert kept | inside == {*atlas.nodes}
    assert not kept & inside
    for one in folded.nodes:  # the nearest kept nodes above, by brute force
        above, queue = set(), [*atlas.nodes[one.id].parents]
        while queue:
            parent = queue.pop()
            if parent in kept:
                above.add(parent)
            else:
                queue += atlas.nodes[parent].parents
        assert {*one.parents} == above
    for sizes in (FULL, MAP):
        drawn = layout(folded.nodes, sizes, frozenset(kept), folded.labels)
        assert {b.id for b in drawn.boxes} == kept | {"input"}


def test_class_tokens_are_a_column_beside_what_they_are_part_of():
    nodes = tuple(Library([], bundled_catalogue()).model("toytown_vit").nodes.values())
    drawn = layout(fold(nodes).nodes, FULL, frozenset(n.id for n in nodes))
    place = {b.id: b for b in drawn.boxes}
    tokens = [b for b in drawn.boxes if b.id.endswith(".class")]
    assert len({b.x for b in tokens}) == 1
    assert all(b.x + b.width < tokens[0].x for b in drawn.boxes if b not in tokens)
    assert all(b.y == place[b.id.removesuffix(".class")].y for b in tokens)
    edges = {edge[:2] for edge in drawn.edges}
    assert ("norm.class", "logits") in edges
    assert ("norm", "logits") not in edges
    assert ("blocks.0", "blocks.1") in edges
    assert ("blocks.0", "blocks.1.class") in edges


def test_labels_within_a_block_leave_its_name_out():
    nodes = tuple(Library([], bundled_catalogue()).model("inceptionv4_slim").nodes.values())
    folded = fold(nodes)
    drawn = layout(folded.nodes, FULL, frozenset(n.id for n in nodes), folded.labels)
    labels = {b.id: b.label for b in drawn.boxes}
    assert labels["Mixed_5b.Branch_1.Conv2d_0b_3x3"] == "Conv2d_0b_3x3"
    assert labels["Mixed_5b"] == "Mixed_5b"
    assert labels["Mixed_5c"] == "Mixed_5c"


def test_the_page_opens_and_folds_by_links():
    site = Client(create_app(Library([], bundled_catalogue())))
    page = "/models/resnetv2_50_slim"
    check_page(site, page)
    graph = site.get(f"{page}.json").json()["graph"]
    one = next(n for n in graph["nodes"] if n["id"] == "block2.unit3.add")
    assert one["fold"]["inside"] == 4
    url = one["fold"]["url"]
    assert url == f"{page}?open=block2.unit3#n-block2.unit3.add"
    assert f'href="{url}"' in site.get(page).text
    path = url.partition("#")[0]
    check_page(site, path)
    assert 'id="n-block2.unit3.conv2"' in site.get(path).text
    assert f'href="{page}#n-block2.unit3.add"' in site.get(path).text
    assert 'id="n-block2.unit3.conv2"' not in site.get(page).text
    bad = site.get(f"{page}?open=nowhere")
    assert bad.status_code == 400
    assert "block2.unit1" in bad.text
    lit = site.get("/models/resnetv2_50_slim/block3.unit4.conv2").text
    assert lit.count(' here"') == 1
