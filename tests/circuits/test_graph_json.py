"""The JSON of attribution graphs as their viewers read it, field by field."""

import pytest
import torch

from micrograph import attribution_graph, load
from micrograph.circuits.graph_json import GRID, viewer_json
from micrograph.parts.plots.graph_drawing import EXCITES, INHIBITS, graph_drawing


@pytest.fixture(scope="module")
def graph():
    model = load("toytown")
    torch.manual_seed(0)
    node = model.attach("mixed3b", torch.randn(20, 112), name="few")
    return attribution_graph(model, "car", "car", dictionaries=[node.id], follow=6)


@pytest.fixture(scope="module")
def made(graph):
    return viewer_json(graph)


def test_all_fields_are_there_with_their_types(made):
    assert made.keys() == {"metadata", "qParams", "nodes", "links"}
    meta = made["metadata"]
    assert {"slug", "scan", "prompt", "prompt_tokens", "node_threshold"} <= meta.keys()
    assert all(isinstance(token, str) for token in meta["prompt_tokens"])
    # With fewer, a viewer takes every node for one that is on at most tokens, and drops it.
    assert len(meta["prompt_tokens"]) == GRID * GRID + 1
    assert made["qParams"].keys() == {"pinnedIds", "supernodes", "linkType", "clickedId", "sg_pos"}
    types = {
        "node_id": str,
        "feature": int,
        "layer": str,
        "ctx_idx": int,
        "feature_type": str,
        "token_prob": float,
        "is_target_logit": bool,
        "jsNodeId": str,
        "clerp": str,
    }
    for node in made["nodes"]:
        assert all(type(node[name]) is kind for name, kind in types.items()), node
        assert 0 <= node["ctx_idx"] < len(meta["prompt_tokens"])
        assert {"influence", "activation"} <= node.keys()
    ids = [node["node_id"] for node in made["nodes"]]
    assert len(set(ids)) == len(ids)
    assert all({link["source"], link["target"]} <= set(ids) for link in made["links"])


def test_kinds_of_nodes_are_written_as_viewers_expect_them(made):
    by_kind = {}
    for node in made["nodes"]:
        by_kind.setdefault(node["feature_type"], []).append(node)
    assert by_kind.keys() == {
        "cross layer transcoder",
        "mlp reconstruction error",
        "embedding",
        "logit",
    }
    for node in by_kind["cross layer transcoder"]:
        layer, unit, place = map(int, node["node_id"].split("_"))
        assert (str(layer), place) == (node["layer"], node["ctx_idx"])
        assert node["feature"] == (layer + unit) * (layer + unit + 1) // 2 + unit
    assert all(node["feature"] == -1 for node in by_kind["mlp reconstruction error"])
    (picture,) = by_kind["embedding"]
    assert (picture["layer"], picture["node_id"][:2]) == ("E", "E_")
    (logit,) = by_kind["logit"]
    assert logit["is_target_logit"]
    assert f"(p={logit['token_prob']:.3f})" in logit["clerp"]
    assert 0 < logit["token_prob"] < 1


def test_links_into_a_node_are_its_value(graph, made):
    """With what is unexplained, constant and pruned as nodes of their own, nothing is missing."""
    into = {}
    for link in made["links"]:
        into[link["target"]] = into.get(link["target"], 0.0) + link["weight"]
    values = {node.id: node.value for node in graph.nodes if node.followed}
    told = {node["clerp"]: node["node_id"] for node in made["nodes"]}
    units = [node for node in graph.nodes if node.kind == "unit" and node.followed]
    assert len(units) > 20
    for node in units:
        assert into[told[node.id]] == pytest.approx(values[node.id], rel=1e-3, abs=1e-3)


def test_the_drawing_tells_of_every_column(graph):
    drawn = str(graph_drawing(graph, link_of=lambda node, unit: f"/models/toytown/{node}/{unit}"))
    for stage in graph.stages:
        shown = any(node.node == stage.node for node in graph.nodes)
        assert (f">{stage.kept} of {stage.units}<" in drawn) == shown
    assert EXCITES in drawn
    assert INHIBITS in drawn
    assert 'href="/models/toytown/logits/0"' in drawn
    assert "unexplained" in drawn
