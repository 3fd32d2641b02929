"""Every page and its twin: there, in agreement, sound HTML, hostile words harmless."""

import json
from dataclasses import replace

import pytest
from html_document import Document, check_links, check_page
from web_samples import HOSTILE, MODEL

from micrograph.web.pages.cite import citations

PAGES = [
    "/",
    "/models",
    "/about",
    "/search?q=zzz",
    "/models/tinynet",
    "/models/tinynet/conv0",
    "/models/tinynet/wide",
    "/models/tinynet/empty",
    "/models/tinynet/mixed1a?sort=colour&size=s",
    "/models/tinynet/mixed1a?objective=neuron&sign=negative",
    "/models/tinynet/mixed1a/3",
    "/models/tinynet/empty/0",
    "/models/tinynet/logits/1",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound_html_has_a_twin_and_good_links(client, path):
    check_links(client, check_page(client, path))


def test_page_and_twin_agree(client):
    page = Document(client.get("/models/tinynet/mixed1a?sort=strong").text)
    twin = client.get("/models/tinynet/mixed1a.json?sort=strong").json()
    tiles = [a for a in page.all("a") if "data-unit" in a]
    assert [int(a["data-unit"]) for a in tiles] == [u["unit"] for u in twin["units"]]
    assert [a["href"] for a in tiles] == [u["url"] for u in twin["units"]]
    shown = {a["src"] for a in page.all("img")}
    assert {u["image"]["url"] for u in twin["units"]} == shown
    scores = [u["score"] for u in twin["units"]]
    assert scores == sorted(scores, reverse=True)


def test_the_twin_of_a_unit_says_everything(client):
    twin = client.get("/models/tinynet/mixed1a/3.json").json()
    assert twin["address"] == "tinynet/mixed1a/3"
    assert twin["model"]["id"] == "tinynet"
    assert twin["model"]["digest"] == MODEL.digest
    assert (twin["node"], twin["unit"]) == ("mixed1a", 3)
    assert len(twin["visualizations"]) == 9
    for v in twin["visualizations"]:
        assert v["technique"] == "feature_vis"
        assert v["recipe"]["variant"] == v["variant"]
        assert v["recipe"]["seed"] == v["seed"]
        image = client.get(v["image"])
        assert image.status_code == 200
        assert image.headers["content-type"] == "image/png"
        assert v["width"] == v["height"] == v["recipe"]["size"]
        assert isinstance(v["score"], float)


def test_a_unit_page_groups_views_and_repeats(client):
    text = client.get("/models/tinynet/mixed1a/3").text
    for title in (
        "Whole channel",
        "Centre neuron",
        "Whole channel, negative",
        "Centre neuron, negative",
    ):
        assert f"<b>{title}</b>" in text
    assert text.count('class="repeats"') == 4
    assert "Not rendered here" not in text


def test_what_is_missing_comes_with_its_command(client):
    assert (
        "micrograph render tinynet --node empty --units 0"
        in client.get("/models/tinynet/empty/0").text
    )
    text = client.get("/models/tinynet/empty").text
    assert "micrograph render tinynet --node empty" in text
    assert client.get("/models/tinynet/empty.json").json()["pictured"] == 0


def test_an_output_unit_has_its_class(client):
    assert client.get("/models/tinynet/logits/2.json").json()["label"] == "wild cat"
    text = client.get("/models/tinynet/logits/1").text
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text


def test_hostile_words_stay_words(client):
    for path in ("/", "/models", "/models/tinynet", f"/search?q={HOSTILE}"):
        text = client.get(path).text
        assert HOSTILE not in text
        assert "javascript:" not in text


def test_citations_name_the_place_and_the_weights(client):
    twin = client.get("/models/tinynet/mixed1a/3.json").json()
    texts = {c["name"]: c["text"] for c in twin["citations"]}
    assert texts["Address"] == "tinynet/mixed1a/3"
    assert texts["Link"].endswith("/models/tinynet/mixed1a/3")
    assert MODEL.digest[:12] in texts["BibTeX"]
    assert "  author = {{The Micrograph developers}}," in texts["BibTeX"].splitlines()
    assert f"recipe {twin['visualizations'][0]['recipe_digest']}" in texts["BibTeX"]
    shown = twin["visualizations"][0]["recipe"]
    assert json.loads(texts["Recipe"]) | {"view": shown["view"]} == shown


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("50% & more_of #1 $5", r"50\% \& more\_of \#1 \$5"),
        ("a\\b {c} ~d^e", r"a\textbackslash{}b \textbraceleft{}c\textbraceright{} "
         r"\textasciitilde{}d\textasciicircum{}e"),
        ("Müller, Søren, Łukasz, naïve, Straße", r"M{\"{u}}ller, S{\o}ren, {\L}ukasz, "
         r"na{\"{\i}}ve, Stra{\ss}e"),
        ("3×3 – “so”", r"3$\times$3 -- ``so''"),
        ("two\nlines", "two lines"),
        ("猫", "猫"),
    ],
)
def test_bibtex_is_escaped(text, tex):
    model = replace(MODEL, title=text)
    found = {c.name: c.text for c in citations(model, "net/a_b/3", "http://s/models/{x}/a b", [])}
    bibtex = found["BibTeX"]
    assert f"  note = {{{tex}, weights " in bibtex
    assert r"title = {{Unit net/a\_b/3}}" in bibtex
    assert "url = {http://s/models/%7Bx%7D/a%20b}" in bibtex
    assert bibtex.count("{") == bibtex.count("}")
    assert bibtex.splitlines()[-1] == "}" and not bibtex.splitlines()[-2].endswith(",")


def test_the_graph_shows_a_branch_by_its_part_of_the_concatenation(client):
    graph = client.get("/models/tinynet.json").json()["graph"]
    by_id = {n["id"]: n for n in graph["nodes"]}
    whole = client.get("/models/tinynet/mixed1a.json").json()
    pictures = {u["unit"]: u["image"]["url"] for u in whole["units"]}
    for thumb in by_id["mixed1a_3x3"]["thumbs"]:
        assert thumb["image"]["url"] == pictures[thumb["unit"] + 6]
    assert by_id["mixed1a_3x3"]["thumbs"]
    assert by_id["empty"]["role"] == "thin"
    part = client.get("/models/tinynet/mixed1a_3x3.json").json()["part_of"]
    assert part["text"] == "units 6-15 of mixed1a"


def test_an_empty_library_says_how_to_begin(client_of, tmp_path):
    client = client_of(tmp_path)
    for path in ("/", "/models"):
        assert "micrograph render toytown" in client.get(path).text


def test_a_broken_file_is_named_and_the_rest_shown(client_of, tmp_path, folder):
    (tmp_path / "bad.atlas").write_bytes(b"not an atlas")
    page = client_of(folder, tmp_path).get("/models.json").json()
    assert [m["model"]["id"] for m in page["models"]] == ["tinynet"]
    assert "bad.atlas" in page["problems"][0]


def test_openapi_describes_the_twins(client):
    document = client.get("/openapi.json").json()
    paths = document["paths"]
    assert {"/models.json", "/models/{model}/{node}/{unit}.json"} <= set(paths)
    assert set(paths["/models/{model}/{node}/{unit}/render"]) == {"post"}
    unit = document["components"]["schemas"]["UnitPage"]["properties"]
    assert {"address", "model", "node", "unit", "visualizations"} <= set(unit)


def test_a_unit_of_a_branch_names_its_unit_of_the_concatenation(client):
    assert client.get("/models/tinynet/mixed1a_3x3/2.json").json()["same_as"] == {
        "text": "mixed1a/8",
        "url": "/models/tinynet/mixed1a/8",
    }
    assert client.get("/models/tinynet/mixed1a/8.json").json()["same_as"] is None
    assert 'href="/models/tinynet/mixed1a/8"' in client.get("/models/tinynet/mixed1a_3x3/2").text
