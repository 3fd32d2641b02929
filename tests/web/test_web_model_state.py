"""What a model's page says of its units, lenses, relatives and accuracy, against counts by hand."""

import dataclasses
import re

import lens_samples
import pytest
import web_samples
from html_document import check_links, check_page
from web_client import Client

from micrograph.atlas import AtlasWriter, Library, bundled_catalogue
from micrograph.cards.families import families, members, microscope_models
from micrograph.graph import Coverage, LostAt
from micrograph.parts.plots import depth
from micrograph.parts.urls import Urls
from micrograph.web import create_app
from micrograph.web.known import Known
from micrograph.web.pages.model_state import progress, units_along_depth


def test_units_along_depth_leave_out_pools_and_branches(folder):
    atlas = Library([folder]).model("tinynet")
    found = [(n.node, n.units) for n in units_along_depth(atlas)]
    # mixed1a holds the units of its two branches; a pool has none of its own.
    assert found == [
        ("conv0", 8),
        ("mixed1a_3x3_reduce", 4),
        ("mixed1a", 16),
        ("wide", 1024),
        ("empty", 5),
        ("logits", 3),
    ]


def test_lenses_count_units_or_nodes_of_their_furthest_view(folder):
    library = Library([folder])
    atlas = library.model("tinynet")
    own = {n.node: n.units for n in units_along_depth(atlas)}
    units: dict[str, set[int]] = {}
    for v in web_samples.visualizations():
        if v.technique == "feature_vis" and v.node in own and v.unit is not None:
            units.setdefault(v.node, set()).add(v.unit)
    first = progress(atlas, Urls())[0]
    assert (first.technique, first.level) == ("feature_vis", "unit")
    assert (first.done, first.of) == (sum(map(len, units.values())), sum(own.values()))


def test_what_a_lens_makes_of_a_whole_node_is_there_for_each_of_its_units(tmp_path):
    with AtlasWriter.open(tmp_path / "lensed.atlas", lens_samples.MODEL, web_samples.NODES) as out:
        whole = [
            lens_samples.result("tuning", family, node, None, {})
            for family, node in (("edges", "conv0"), ("hue", "conv0"), ("edges", "mixed1a"))
        ]
        swept = lens_samples.result("dataset_examples", "toys", "conv0", None, {})
        units = [lens_samples.result("dataset_examples", "toys", "conv0", u, {}) for u in (1, 5)]
        out.put([*whole, swept, *units])
    atlas = Library([tmp_path]).model("lensed")
    (counted,) = (c for c in atlas.counts() if c.technique == "dataset_examples")
    assert (counted.units, counted.whole) == (2, True)
    done = {one.technique: one.done for one in progress(atlas, Urls())}
    assert done == {"tuning": 8 + 16, "dataset_examples": 2}


def test_units_shown_again_by_other_nodes_are_not_counted_twice(tmp_path):
    with AtlasWriter.open(tmp_path / "lensed.atlas", lens_samples.MODEL, web_samples.NODES) as out:
        branch = "mixed1a_3x3"
        out.put([web_samples.visualization(node, 0) for node in ("conv0", "mixed1a", branch)])
    client = Client(create_app(Library([tmp_path])))
    page = client.get("/models/lensed.json").json()
    assert page["pictured"] == 2 == page["rendered"][0]["done"]
    assert client.get("/models.json").json()["models"][0]["pictured"] == 2


def test_what_has_no_node_is_said_on_the_page_and_in_its_twin(client_of, tmp_path):
    lost = LostAt("lost at stack in <pool>", "pool.q", 1)
    model = dataclasses.replace(web_samples.MODEL, coverage=Coverage(9, ("pool.q",), (lost,)))
    with AtlasWriter.open(tmp_path / "tinynet.atlas", model, web_samples.NODES):
        pass
    client = client_of(tmp_path)
    check_page(client, "/models/tinynet")
    line = "1 of 9 modules have no node: pool.q (lost at stack in &lt;pool&gt;)"
    assert f"<dt>Not shown</dt><dd>{line}</dd>" in client.get("/models/tinynet").text
    twin = client.get("/models/tinynet.json").json()
    assert twin["coverage"]["lost"] == [vars(lost)]
    assert "coverage" not in twin["preprocessing"]


def test_of_a_model_whose_atlas_says_nothing_nothing_is_said(client_of, folder):
    client = client_of(folder)
    assert "Not shown" not in client.get("/models/tinynet").text
    assert client.get("/models/tinynet.json").json()["coverage"] is None


def test_every_lens_that_is_there_is_listed_with_a_page(lensed, tmp_path):
    lens_samples.write(tmp_path)
    atlas = Library([tmp_path]).model("lensed")
    found = progress(atlas, Urls())
    own = {n.node for n in units_along_depth(atlas)}
    assert {one.technique for one in found} == {
        c.technique for c in atlas.counts() if c.node in own
    }
    assert all(0 < one.done <= one.of for one in found)
    for one in found:
        page, _, part = one.url.partition("#")
        answer = lensed.get(page)
        assert answer.status_code == 200
        assert not part or f'id="{part}"' in answer.text
    page = check_page(lensed, "/models/lensed")
    check_links(lensed, page)
    assert len(re.findall(r"--share:", lensed.get("/models/lensed").text)) == len(found)


def test_an_atlas_with_nothing_in_it_lists_no_lens(tmp_path):
    with AtlasWriter.open(tmp_path / "tinynet.atlas", web_samples.MODEL, web_samples.NODES):
        pass
    site = Client(create_app(Library([tmp_path])))
    check_page(site, "/models/tinynet")
    assert site.get("/models/tinynet.json").json()["rendered"] == []
    assert "Rendered so far" not in site.get("/models/tinynet").text


@pytest.fixture(scope="module")
def known_site():
    def known(model):
        return Known(
            "missing",
            [f"micrograph weights fetch {model}"],
            accuracy=f"9 % of {model}",
            download=244_000_000,
        )

    return Client(create_app(Library([], bundled_catalogue()), known=known))


def test_the_tree_links_all_relatives_that_have_pages(known_site):
    text = known_site.get("/models/contrastive_rn50").text
    for other in ("contrastive_v1", "lm_v1", "contrastive_16x"):
        assert f'<a href="/models/{other}"><b>' in text
    assert '<a href="/models/contrastive_rn50"><b>' not in text
    options = re.findall(r"<option>(\w+)</option>", text)
    assert "contrastive_v1" not in options  # nothing to compare
    assert "contrastive_16x" in options


def test_accuracy_and_download_are_told_by_who_started_the_site(known_site):
    text = known_site.get("/models/alexnet").text
    assert "9 % of alexnet" in text
    assert "not on this machine; 244 MB to fetch" in text


def test_families_and_microscopes_models_are_in_the_catalogue():
    there = {path.stem for path in bundled_catalogue().glob("*.json")}
    assert {*microscope_models()} <= there
    ids = [one.id for family in families() for one in members(family.root) if one.id]
    assert {*ids} <= there
    assert len(ids) == len({*ids})  # nobody is in two families


def test_a_column_is_as_high_as_its_units():
    svg = depth([("first", 10), ("<second>", 40), ("third", 20)])
    heights = [float(h) for h in re.findall(r'<rect[^>]* height="([\d.]+)"', svg)]
    assert heights[1] == pytest.approx(4 * heights[0], abs=0.3)
    assert heights[2] == pytest.approx(2 * heights[0], abs=0.3)
    assert "<second>" not in svg
    assert "&lt;second&gt;: 40 units" in svg
    assert 'aria-label="Units of each node. From 10 at first to 20 at third; most, 40, at' in svg
    assert depth([]) == ""
    assert "only: 1 units" in depth([("only", 1)])
