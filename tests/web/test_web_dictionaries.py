"""The node of a dictionary on the site: in the graph, beside its base, saying what made it."""

from dataclasses import replace

import pytest
import web_samples
from html_document import check_links, check_page
from web_samples import HOSTILE, MODEL, NODES

from micrograph.atlas import AtlasWriter, DictionaryRecord
from micrograph.web.column import MAP
from micrograph.web.graph import layout

LATENTS = replace(
    web_samples.node("mixed1a.sae", 9, 3, ("mixed1a",), "dictionary", ("1a.sae",)), shape=()
)
PAIR = replace(LATENTS, id="mixed1a.pca", index=10, kind="directions", aliases=())
MADE = DictionaryRecord("mixed1a.sae", "5a" * 32, {"activation": "topk", "k": 8, "l0": HOSTILE})


@pytest.fixture
def site(client_of, tmp_path):
    made = [MADE, DictionaryRecord("mixed1a.pca", "6b" * 32)]
    nodes = [*NODES, LATENTS, PAIR]
    with AtlasWriter.open(tmp_path / "tinynet.atlas", MODEL, nodes, made) as writer:
        writer.put([web_samples.visualization(LATENTS.id, unit) for unit in range(3)])
    return client_of(tmp_path)


@pytest.mark.parametrize(
    "path", ["", "/mixed1a.sae", "/mixed1a.sae/1", "/mixed1a.pca", "/mixed1a", "/mixed1a/3"]
)
def test_pages_are_sound_and_their_links_good(site, path):
    check_links(site, check_page(site, f"/models/tinynet{path}"))


@pytest.mark.parametrize("path", ["mixed1a.sae", "mixed1a.sae/1"])
def test_a_page_says_what_made_the_node_and_over_which(site, path):
    text = site.get(f"/models/tinynet/{path}").text
    assert 'over <a href="/models/tinynet/mixed1a">mixed1a</a>: topk, k 8' in text
    assert MADE.digest[:12] in text
    assert HOSTILE not in text


def test_the_base_links_to_it_and_spellings_lead_there(site):
    assert 'href="/models/tinynet/mixed1a.sae"' in site.get("/models/tinynet/mixed1a").text
    assert site.get("/models/tinynet/1a.sae").headers["location"] == "/models/tinynet/mixed1a.sae"


def test_as_many_latents_as_classes_are_no_classes(site):
    assert site.get("/models/tinynet/mixed1a.sae/0.json").json()["label"] == ""
    assert site.get("/models/tinynet/logits/0.json").json()["label"] == "car"


def test_it_stands_beside_its_base_and_moves_nothing():
    plain, drawn = layout(NODES, MAP), layout((*NODES, LATENTS, PAIR), MAP)
    assert drawn.boxes[: len(plain.boxes)] == plain.boxes
    assert drawn.edges[: len(plain.edges)] == plain.edges
    boxes = {box.id: box for box in drawn.boxes}
    base, first, second = (boxes[id] for id in ("mixed1a", "mixed1a.sae", "mixed1a.pca"))
    assert base.y == first.y == second.y
    assert plain.width < first.x < first.x + first.width < second.x
    assert second.x + second.width <= drawn.width
    assert {edge[:2] for edge in drawn.edges} - {edge[:2] for edge in plain.edges} == {
        ("mixed1a", "mixed1a.sae"),
        ("mixed1a", "mixed1a.pca"),
    }
