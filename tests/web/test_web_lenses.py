"""The lenses on the pages: every result in its place, as the atlas has it, whatever that holds."""

import json
from dataclasses import asdict, replace

import lens_samples as lenses
import numpy as np
import pytest
import web_samples
from html_document import Document, check_links, check_page
from hypothesis import given, settings
from hypothesis import strategies as st
from web_client import Client

from micrograph.atlas import Atlas, AtlasWriter, Library, encode
from micrograph.lenses import names
from micrograph.lenses.pages.listing import all_words, words
from micrograph.lenses.pages.scene import Scene
from micrograph.parts.urls import Urls
from micrograph.web import create_app
from micrograph.web.html import score
from micrograph.web.known import Known
from micrograph.web.pages.lens_parts import lens_parts

UNIT = "/models/lensed/mixed1a/3"
NODE = "/models/lensed/mixed1a"
PAGES = [
    UNIT,
    UNIT + "?dataset=toys",
    NODE,
    NODE + "?picture=harbour-at-night",
    NODE + "?lens=dataset_examples&variant=toys",
    NODE + "?lens=tuning",
    NODE + "?lens=diversity",
    NODE + "?lens=maco&sort=strong",
    NODE + "?lens=faceted_feature_vis",
    NODE + "?lens=unit_map",
    "/models/lensed",
    "/models/lensed?lens=deepdream",
    "/models/lensed?lens=activation_grid",
    "/models/lensed?lens=caricature&picture=harbour-at-night",
    "/models/lensed?lens=unit_map",
    "/models/lensed/conv0/2",
    "/about",
]


@pytest.fixture(scope="module")
def twin(lensed):
    return lensed.get(UNIT + ".json?dataset=toys").json()


@pytest.fixture(scope="module")
def parts(twin):
    return {part["technique"]: part for part in twin["sections"]}


@pytest.mark.parametrize("path", PAGES)
def test_pages_with_every_lens_are_sound(lensed, path):
    check_links(lensed, check_page(lensed, path))


def test_a_reader_meets_the_lenses_in_order(lensed, twin):
    order = [part["technique"] for part in twin["sections"]]
    found = {part["technique"] for part in twin["sections"]}
    known = [w.technique for w in all_words() if w.level == "unit" and w.technique in found]
    assert len(known) >= 10
    assert order == [*known, "third_party"]
    headings = [a["aria-labelledby"] for a in Document(lensed.get(UNIT).text).all("section")]
    assert [h for h in headings if h.startswith("q-")] == [
        "q-feature_vis",
        "q-dataset_examples",
        "q-prototype",
        "q-tuning",
        "q-text_feature_vis",
        "q-attribution",
        "q-connections",
        "q-look",
        "q-similar",
        "q-third_party",
    ]


def test_examples_carry_where_the_unit_fired(lensed, parts):
    found = parts["dataset_examples"]
    assert (found["name"], found["pictures"], found["names"]) == ("toys", 48, ["others", "toys"])
    best = found["top"][0]
    assert (best["number"], best["position"], best["value"]) == (47, 47, 4.7)
    assert (best["name"], best["cls"]) == ("toy-47.png", "cat")
    # mixed1a sees 8 px from -1 on, every 2: row 5, column 7 of the map.
    sides = {"left": 13 / 32, "top": 9 / 32, "width": 8 / 32, "height": 8 / 32}
    assert best["box"] == pytest.approx(sides)
    assert lensed.get(best["image"]["url"]).content == web_samples.picture(2047).data
    assert [len(band["examples"]) for band in found["bands"]] == [3] * 8
    assert found["classes"][0] == {"name": web_samples.HOSTILE, "mean": 2.5, "share": 0.5}
    assert found["histogram"]["counts"] == [1000, 200, 30, 4, 0, 1]
    assert found["marks"]["0.99"] == 4.5


def test_without_a_dataset_in_the_query_the_first_is_shown(lensed):
    parts = lensed.get(UNIT + ".json").json()["sections"]
    found = next(p for p in parts if p["technique"] == "dataset_examples")
    assert found["name"] == "others"
    assert found["top"][0]["cls"] == ""


def test_tuning_names_the_best_stimulus(parts):
    (family,) = parts["tuning"]["families"]
    responses = np.array(family["responses"])
    assert responses.shape == (4, 3)
    assert family["at"] == list(np.unravel_index(responses.argmax(), (4, 3)))
    angle, wavelength = (lenses.AXES[k]["values"][i] for k, i in enumerate(family["at"]))
    assert family["best"] == f"stripes along {angle}°, wavelength {wavelength}\u00a0px"
    assert (family["strongest"], family["baseline"]) == (responses.max(), 0.5)


def test_attribution_leaves_out_what_is_no_unit(parts):
    (one,) = parts["attribution"]["pictures"]
    assert [share["node"] for share in one["nodes"]] == ["conv0"]
    units = one["nodes"][0]["units"]
    assert [(u["thumb"]["unit"], u["value"], u["share"]) for u in units] == [
        (2, 3.0, 1.0),
        (1, -1.5, -0.5),
    ]
    assert one["heat"] == {"values": [[0.25, -1.0], [0.0, 0.5]], "signed": True}
    assert one["source"]["name"] == "astronaut"


def test_company_is_by_profile_and_by_weights(parts):
    titles = [row["title"] for row in parts["similar"]["rows"]]
    assert titles == ["Fires on the same pictures", "Similar input weights"]
    weights = parts["similar"]["rows"][1]["near"]
    assert [(n["thumb"]["unit"], n["value"]) for n in weights] == [(4, 0.75), (5, 0.75), (6, 0.75)]


def test_words_come_best_first(parts):
    text = parts["text_feature_vis"]
    assert [w["score"] for w in text["words"]] == [0.75, 0.5]
    assert [t["text"] for t in text["tokens"]] == ["cat", "dog"]


def test_feature_visualization_keeps_further_variants(parts):
    assert [s["title"] for s in parts["feature_vis"]["further"]] == [
        "With transparency",
        "Neuron at row 2, column 7",
    ]
    assert parts["joint"]["shots"][0]["title"] == "From this unit to conv0/2"
    assert parts["diversity"]["shots"][0]["columns"] == 2


def test_the_number_under_a_picture_is_that_of_the_picture_as_it_is_stored(tmp_path):
    with AtlasWriter.open(tmp_path / "lensed.atlas", lenses.MODEL, web_samples.NODES) as out:
        lossy = encode(np.zeros((8, 8, 3), np.uint8), "webp")
        old, new = (
            replace(web_samples.visualization("conv0", unit), picture=lossy) for unit in (1, 2)
        )
        out.put([old, replace(new, data={**new.data, "stored_score": 0.8125})])
    client = Client(create_app(Library([tmp_path])))
    for unit, stored, said in (
        (1, None, f"activation, before compression</span> {score(old.score)}"),
        (2, 0.8125, "activation</span> 0.81"),
    ):
        twin = client.get(f"/models/lensed/conv0/{unit}.json").json()
        (shot,) = twin["sections"][0]["groups"][0]["shots"]
        for one in (shot, twin["visualizations"][0]):
            assert one["stored_score"] == stored
            assert one["score"] == (old if unit == 1 else new).score
        assert said in client.get(f"/models/lensed/conv0/{unit}").text


def test_a_technique_without_words_is_shown_all_the_same(lensed, parts):
    assert parts["third_party"]["form"] == "generic"
    assert parts["third_party"]["data"] == {"view one": ["answer"]}
    assert words("third_party").title == "Third party"
    assert "holds answer" in lensed.get(UNIT).text


def test_results_without_a_picture_keep_the_form(twin):
    v = next(v for v in twin["visualizations"] if v["technique"] == "dataset_examples")
    assert (v["image"], v["width"], v["height"]) == ("", 0, 0)
    assert v["data"]["top"]


def test_what_is_missing_is_one_quiet_list(lensed):
    twin = lensed.get("/models/lensed/conv0/2.json").json()
    commands = {one["technique"]: one["command"] for one in twin["missing"]}
    assert commands["diversity"] == "micrograph render lensed --node conv0 --units 2 -t diversity"
    assert commands["tuning"] == "micrograph render lensed --node conv0 -t tuning"
    assert commands["text_feature_vis"]  # another unit of this model has it
    assert "text_feature_vis" not in {
        one["technique"] for one in lensed.get(UNIT + ".json").json()["missing"]
    }
    text = lensed.get("/models/lensed/conv0/2").text
    assert text.count('id="missing"') == 1


def test_text_is_not_missed_where_no_model_reads(client):
    missing = client.get("/models/tinynet/conv0/2.json").json()["missing"]
    assert not {"text_feature_vis", "faceted_feature_vis"} & {one["technique"] for one in missing}


def test_a_tile_is_the_strongest_example_as_the_unit_saw_it(lensed):
    page = lensed.get(NODE + ".json?lens=dataset_examples&variant=toys").json()
    tile = page["units"][0]
    assert tile["score"] == 4.7
    assert tile["window"]["width"] == 8 / 32
    assert lensed.get(tile["image"]["url"]).content == web_samples.picture(2047).data
    assert page["pictured"] == 16
    assert page["missing"] == ""
    switches = {s["name"]: [c["value"] for c in s["choices"]] for s in page["switches"]}
    assert switches["variant"] == ["others", "toys"]
    assert "objective" not in switches


def test_a_tile_of_tuning_is_the_best_stimulus(lensed):
    units = lensed.get(NODE + ".json?lens=tuning").json()["units"]
    rng = np.random.default_rng(16)
    best = rng.uniform(0, 4, (16, 4, 3)).astype(np.float16).reshape(16, -1).argmax(1)
    for unit, number in zip(units, best, strict=True):
        data = lensed.get(unit["image"]["url"]).content
        assert data == web_samples.picture(2000 + int(number)).data


@pytest.mark.parametrize(
    "path",
    [
        NODE + "?lens=nothing",
        NODE + "?lens=tuning&variant=edges",
        NODE + "?lens=attribution",
        "/models/lensed?lens=nothing",
        "/models/lensed?lens=caricature&picture=nobody",
        "/models/tinynet?lens=deepdream",
    ],
)
def test_views_that_are_not_there_are_named(lensed, client, path):
    answer = (client if "tinynet" in path else lensed).get(path)
    assert answer.status_code == 400
    assert "expected" in answer.text


def test_a_lens_that_nobody_rendered_says_how(client):
    page = client.get("/models/tinynet/conv0?lens=dataset_examples")
    assert page.status_code == 200
    assert "render tinynet --node conv0 -t dataset_examples --dataset" in page.text
    assert "has no map yet" in client.get("/models/tinynet/conv0?lens=unit_map").text


def test_the_node_shows_one_source_picture_at_a_time(lensed):
    page = lensed.get(NODE + ".json?picture=harbour-at-night").json()
    assert (page["picture"], len(page["pictures"])) == ("harbour-at-night", 2)
    assert lensed.get(NODE + ".json").json()["picture"] == "astronaut"
    assert lensed.get(NODE + ".json?picture=gone").status_code == 400
    ids = [a.get("id") for _, a in Document(lensed.get(NODE).text).tags]
    assert {"deepdream", "caricature", "activation_grid", "neuron_groups"} <= set(ids)
    groups = next(s for s in page["sections"] if s["technique"] == "neuron_groups")
    assert groups["pictures"][0]["groups"][0]["heat"]["values"] == [[0, 0.5], [1, 0.25]]


def test_the_model_shows_a_lens_of_nodes(lensed):
    page = lensed.get("/models/lensed.json?lens=caricature&picture=astronaut").json()
    pictured = [n["id"] for n in page["graph"]["nodes"] if n["picture"]]
    assert pictured == ["mixed1a"]
    assert page["source_picture"]
    plain = lensed.get("/models/lensed.json").json()
    assert not any(n["picture"] for n in plain["graph"]["nodes"])
    assert lensed.get("/models/lensed.json?lens=unit_map").json()["map"]["units"]


def test_the_panel_leads_to_every_lens(lensed):
    for path in (UNIT, NODE, "/models/lensed", "/models/lensed/conv0/2"):
        page = Document(lensed.get(path).text)
        links = [a for a in page.all("a") if "data-explains" in a]
        assert len(links) == len(all_words())
        assert sum("aria-current" in a for a in links) == 1
    quiet = [
        a
        for a in Document(lensed.get("/models/lensed/conv0/2").text).all("li")
        if "none" in (a.get("class") or "").split()
    ]
    assert len(quiet) == len(all_words()) - 1


def test_every_lens_has_words():
    for one in all_words():
        assert all(
            (
                one.title,
                one.question.endswith("?"),
                one.explanation,
                one.reading,
                one.caution,
                one.level in ("unit", "node"),
            )
        ), one.technique
        assert one.under in ("", *names())


def test_a_model_of_which_there_is_only_an_atlas_cannot_be_asked(client_of, folder, tmp_path):
    client = client_of(folder, writable=tmp_path, known=lambda model: Known("none"))
    twin = client.get("/models/tinynet/empty/0.json").json()
    assert not twin["render"]["available"]
    assert not twin["look"]["available"]
    assert "atlas only" in client.get("/models/tinynet/empty/0").text
    headers = {"content-type": "application/json", "origin": "http://site", "host": "site"}
    assert client.ask("POST", "/models/tinynet/empty/0/render", headers, b"{}").status_code == 503


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["map", "node", "units", "values", "examples", "counts", "low", "title"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KEYS = (
    "dataset",
    "top",
    "bottom",
    "bands",
    "histogram",
    "picture_max",
    "classes",
    "source",
    "map",
    "nodes",
    "groups",
    "texts",
    "tokens",
    "company",
    "partner",
    "columns",
    "rows",
    "axes",
)


PICTURE = web_samples.picture(1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KEYS), JSON), min_size=8, max_size=8))
def test_data_of_any_kind_makes_a_page(atlas, data):
    found = [
        lenses.result(technique, "gratings", "mixed1a", 3, dict(data), PICTURE)
        for technique in names()
    ]
    for unit in (3, None):
        scene = Scene(atlas, atlas.nodes["mixed1a"], unit, Urls(), found)
        scene.__dict__["whole"] = found
        made = lens_parts(scene, "node" if unit is None else "unit")
        json.dumps([asdict(part) for part in made])
        assert not [part for part in made if part.form == "broken"]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return Atlas.open(lenses.write(tmp_path_factory.mktemp("any")))
