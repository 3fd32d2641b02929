"""Models of which nothing is rendered, and old links to them: every one lands somewhere."""

import json
from pathlib import Path

import httpx
import pytest
from html_document import check_links, check_page
from web_client import Client

from micrograph.atlas import Library, bundled_catalogue
from micrograph.cards.families import microscope_models
from micrograph.web import create_app
from micrograph.web.known import Known

EDGE = "http://microscope-azure-edge.openai.com/models/"
OLD = "https://microscope.openai.com/models/"


def known(model: str) -> Known:
    if model == "toytown":
        return Known("here", ["micrograph render toytown"])
    return Known("missing", [f"micrograph weights fetch {model}", f"micrograph render {model}"])


@pytest.fixture(scope="module")
def site(folder: Path):
    """The sample atlas, and behind it all that is known."""
    return Client(create_app(Library([folder], bundled_catalogue()), known=known))


MODELS = [path.stem for path in sorted(bundled_catalogue().glob("*.json"))]


@pytest.mark.parametrize("model", MODELS)
def test_every_known_model_has_pages(site, model):
    library = Library([], bundled_catalogue())
    nodes = library.model(model).nodes
    check_page(site, f"/models/{model}")
    if not nodes:
        assert "never" in site.get(f"/models/{model}").text
        return
    node = list(nodes.values())[len(nodes) // 2]
    for path in (f"/models/{model}/{node.id}", f"/models/{model}/{node.id}/{node.units - 1}"):
        check_page(site, path)
        text = site.get(path).text
        assert f"micrograph render {model} --node {node.id}" in text
        if model != "toytown":
            assert f"micrograph weights fetch {model}" in text
    folded, whole = (
        site.get(f"/models/{model}.json{query}").json()["graph"]["nodes"]
        for query in ("", "?open=all")
    )
    assert {n["id"] for n in whole} == {*nodes, "input"}
    assert len(folded) < 100
    left_out = sum(n["fold"]["inside"] for n in folded if n["fold"])
    assert len(folded) + left_out == len(whole)


def test_the_index_has_those_with_pictures_first(site):
    index = site.get("/models.json").json()
    assert [m["model"]["id"] for m in index["models"]] == ["tinynet"]
    order = [m["model"]["id"] for m in index["known"]]
    assert sorted(order) == sorted(MODELS)
    shown = [m["microscope"] for m in index["known"]]
    assert shown == sorted(shown, reverse=True)
    assert sum(shown) == len(microscope_models()) == 14
    assert index["compare"] == f"/compare?here=tinynet&there={order[0]}"
    states = {m["model"]["id"]: m["state"] for m in index["known"]}
    assert states["toytown"]["weights"] == "here"
    assert states["inceptionv1"]["commands"][0] == "micrograph weights fetch inceptionv1"
    assert states["lm_v1"]["weights"] == "unreleased"
    check_page(site, "/")
    check_links(site, check_page(site, "/models"))
    text = site.get("/models").text
    assert text.index("tinynet") < text.index("Models of OpenAI Microscope") < text.index("vgg19")


def test_what_is_asked_of_a_model_without_weights_says_how_to_get_them(site):
    headers = {"content-type": "application/json", "origin": "http://site", "host": "site"}
    answer = site.ask("POST", "/models/alexnet/conv1/3/render", headers, b"{}")
    assert answer.status_code == 503
    assert "weights fetch alexnet" in answer.text


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("inceptionv1/mixed4c_0/447", "inceptionv1/mixed4c/447"),
        (
            "inceptionv1/mixed4c_0/447?models.op.feature_vis.type=channel&models.op.technique=feature_vis",
            "inceptionv1/mixed4c/447#feature_vis",
        ),
        (
            "inceptionv1/mixed4c/447?models.op.technique=dataset_examples",
            "inceptionv1/mixed4c/447#dataset_examples",
        ),
        (
            "inceptionv1/mixed4c_0?models.op.feature_vis.type=neuron&models.op.technique=feature_vis",
            "inceptionv1/mixed4c?objective=neuron#feature_vis",
        ),
        (
            "inceptionv1/mixed4c_0?models.op.technique=synthetic_tuning",
            "inceptionv1/mixed4c?lens=tuning#tuning",
        ),
        ("inceptionv1/mixed4c_0?models.op.technique=caricature", "inceptionv1/mixed4c#caricature"),
        ("contrastive_4x/image_block_4_5_Add_6_0/89/", "contrastive_4x/layer4.5.sum/89"),
        (
            "contrastive_4x/fp32_storage_image_image_block_4_5_Add_6_0/89",
            "contrastive_4x/layer4.5.sum/89",
        ),
        ("lm_v1/fp32_storage_image_image_block_4_4_Add_6_0/183", "lm_v1"),
        ("contrastive_v1/image_block_4_1_add_1_0", "contrastive_v1"),
        ("InceptionV1/mixed4c_0", "inceptionv1/mixed4c"),
    ],
)
def test_old_paths_lead_to_our_addresses(site, path, url):
    answer = site.get(f"/models/{path}")
    while answer.status_code == 307 and answer.headers["location"] != f"/models/{url}":
        answer = site.get(answer.headers["location"])
    assert (answer.status_code, answer.headers.get("location")) == (307, f"/models/{url}")
    assert site.get(f"/models/{url.partition('#')[0]}").status_code == 200
    place, mark, query = path.rstrip("/").partition("?")
    twin = site.get(f"/models/{place.rstrip('/')}.json{mark}{query}")
    assert twin.headers["location"].partition("?")[0].endswith(".json")


@pytest.mark.parametrize(
    "path",
    [
        "inceptionv1/mixed4c_0/512",
        "inceptionv1/mixd4c_0/4",
        "inceptionvv1/mixed4c_0/4",
        "inceptionv1/mixed4c_0/512?models.op.technique=feature_vis",
    ],
)
def test_wrong_old_paths_are_not_found(site, path):
    assert site.get(f"/models/{path}").status_code == 404


def test_a_lens_that_is_there_is_kept(client_of, tmp_path):
    import lens_samples

    lens_samples.write(tmp_path)
    site = client_of(tmp_path)
    answer = site.get("/models/lensed?models.technique=deep_dream")
    assert answer.headers["location"] == "/models/lensed?lens=deepdream"
    assert site.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (
            OLD + "inceptionv1/mixed4c_0/447?models.op.technique=feature_vis",
            "/models/inceptionv1/mixed4c/447#feature_vis",
        ),
        ("InceptionV1 4c:447", "/models/inceptionv1/mixed4c/447"),
        ("unit 447 of 4c in InceptionV1", "/models/inceptionv1/mixed4c/447"),
        (EDGE + "contrastive_v1/image_block_4_1_add_1_0/154", "/models/contrastive_v1"),
        (OLD, "/models"),
        ("CLIP RN50x4", "/models/contrastive_4x"),
        ("tinynet 1a:3", "/models/tinynet/mixed1a/3"),
    ],
)
def test_the_search_box_takes_links(site, text, url):
    answer = site.get(str(httpx.URL("/search", params={"q": text})))
    assert (answer.status_code, answer.headers.get("location")) == (303, url)


def test_a_search_that_means_several_places_lists_them(site):
    """A short form without a model is not followed at once where several models have it."""
    page = site.get("/search.json?q=4c:447").json()
    assert page["exact"] == ""
    found = [hit["address"] for hit in page["hits"]]
    assert {"inceptionv1/mixed4c/447", "inceptionv1_caffe/inception_4c/447"} <= {*found}


def test_a_search_for_what_is_not_there_shows_what_is_near(site):
    page = site.get(str(httpx.URL("/search.json", params={"q": OLD + "inceptionv1/mixd4c_0/4"})))
    data = page.json()
    assert data["exact"] == ""
    assert "no node called" in data["note"]
    assert "inceptionv1/mixed4c" in [hit["address"] for hit in data["hits"]]
    assert all(site.get(hit["url"]).status_code == 200 for hit in data["hits"])


def test_the_resolver_answers_programs(site):
    answer = site.get(
        str(
            httpx.URL(
                "/resolve",
                params={
                    "q": OLD + "inceptionv1/mixed4c_0/447?models.op.feature_vis.type=channel"
                    "&models.op.technique=feature_vis"
                },
            )
        )
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    data = answer.json()
    assert [*data][:7] == ["model", "node", "unit", "address", "technique", "available", "note"]
    assert (data["address"], data["technique"], data["available"]) == (
        "inceptionv1/mixed4c/447",
        "feature_vis",
        False,
    )
    assert site.get("/resolve?q=tinynet+1a:3").json()["available"] is True
    nothing = site.get("/resolve?q=" + "x" * 9000).json()
    assert nothing["address"] is None
    assert len(json.dumps(nothing)) < 2000
    assert site.get("/resolve").json()["address"] is None
    assert "/resolve" in site.get("/openapi.json").json()["paths"]


def test_every_page_counts_the_nodes_of_a_model_alike(site):
    index = site.get("/models.json").json()
    rendered = {card["model"]["id"]: card["nodes"] for card in index["models"]}
    known_only = {one["model"]["id"]: one["nodes"] for one in index["known"]}
    counted = {**rendered, **known_only}
    for here in [*rendered, "inceptionv1", "vgg19_caffe"]:
        sides = site.get(f"/compare.json?here={here}&there=inceptionv1_caffe").json()
        depth = site.get(f"/models/{here}.json").json()["depth"]
        assert counted[here] == len(depth) == sides["here"]["nodes"] > 0, here
    assert counted["inceptionv1"] < len(bundled_nodes("inceptionv1")), (
        "branches count with their sum"
    )


def bundled_nodes(model: str) -> list[dict[str, object]]:
    return json.loads((bundled_catalogue() / f"{model}.json").read_text())["nodes"]


def test_models_that_were_never_released_are_not_called_renderable(site):
    known_only = site.get("/.json").json()["known"]
    text = " ".join(site.get("/").text.split())
    assert f"{len(known_only)} more models</a> are known, and " in text
    never = [one for one in known_only if one["state"]["weights"] == "unreleased"]
    assert never
    assert f"and {len(known_only) - len(never)} of them can be rendered" in text
