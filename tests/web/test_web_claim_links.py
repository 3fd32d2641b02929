"""From units, nodes and models to the claims about them."""

import time
from pathlib import Path

import numpy as np
import pytest
from html_document import check_links, check_page
from web_client import Client

from micrograph.atlas import AtlasWriter, Library, Visualization, bundled_catalogue, bundled_gallery
from micrograph.claims import Claim
from micrograph.parts.urls import Urls
from micrograph.web import create_app
from micrograph.web.pages.tested_claims import MOST_LINKED, linked_claims

MODEL = "toytown"


def atlas_with(folder: Path, *texts: str) -> Client:
    """A site with evidence for claims; the later the claim, the stronger."""
    there = Library([], bundled_catalogue()).snapshot().model(MODEL)
    path = folder / f"{MODEL}.atlas"
    with AtlasWriter.open(path, there.model, list(there.nodes.values())) as writer:
        for number, text in enumerate(texts):
            claim = Claim.parse(text)
            recipe = {"technique": "claim", "view": "evidence", "seed": 0, "claim": claim.to_json()}
            data = {"claim": claim.to_json(), "verdict": "neutral", "strength": number, "lines": []}
            where = claim.target.node, claim.target.unit
            writer.put([Visualization(*where, recipe, 0.0, None, data, about=claim.subject)])
    return Client(create_app(Library([folder])))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return atlas_with(
        tmp_path_factory.mktemp("claims"),
        "toytown/mixed4b/3 <- mixed4a/130 - mixed4a/1",
        "toytown/mixed4b/3 <- mixed4a/130 above - mixed4a/1",
        "toytown/mixed4c/5 <- mixed4b/3",
        "toytown/mixed4b/4 <- mixed4a/2",
    )


def claims_of(site: Client, path: str) -> list[tuple[str, str]]:
    found = site.get(path + ".json").json()["claims"]
    assert found["total"] == len(found["claims"])
    return [(one["text"].partition("/")[2], one["role"]) for one in found["claims"]]


def test_a_unit_names_the_claims_about_it(site: Client) -> None:
    assert claims_of(site, "/models/toytown/mixed4b/3") == [
        ("mixed4c/5 <- mixed4b/3", "source"),
        ("mixed4b/3 <- mixed4a/130 above - mixed4a/1", "target"),
        ("mixed4b/3 <- mixed4a/130 - mixed4a/1", "target"),
    ]
    assert claims_of(site, "/models/toytown/mixed4a/1") == [
        ("mixed4b/3 <- mixed4a/130 above - mixed4a/1", "source"),
        ("mixed4b/3 <- mixed4a/130 - mixed4a/1", "source"),
    ]
    assert claims_of(site, "/models/toytown/mixed4a/3") == []
    for unit in ("mixed4b/3", "mixed4a/1", "mixed4a/3"):
        page = check_page(site, f"/models/toytown/{unit}")
        assert any(a.get("id") == "claims" for _, a in page.tags) == (unit != "mixed4a/3")
        check_links(site, page)


def test_a_node_and_a_model_do_so_too(site: Client) -> None:
    assert len(claims_of(site, "/models/toytown/mixed4a")) == 3
    assert len(claims_of(site, "/models/toytown/mixed4b")) == 4
    assert claims_of(site, "/models/toytown/mixed4c") == [("mixed4c/5 <- mixed4b/3", "target")]
    assert claims_of(site, "/models/toytown/mixed5a") == []
    assert site.get("/models/toytown.json").json()["claims"] == "/claims?about=toytown"
    for path in ("mixed4a", "mixed4b", "mixed5a"):
        check_links(site, check_page(site, f"/models/toytown/{path}"))
    check_links(site, check_page(site, "/models/toytown"))


@pytest.mark.parametrize(
    ("about", "count"),
    [
        ("toytown", 4),
        ("TOYTOWN/4b", 4),
        ("toytown/mixed4b/4", 1),
        ("toytown/mixed4a/1", 2),
        ("toytown/mixed4a/9", 0),
    ],
)
def test_the_list_can_be_about_a_place(site: Client, about: str, count: int) -> None:
    check_page(site, f"/claims?about={about}")
    assert len(site.get(f"/claims.json?about={about}").json()["claims"]) == count


@pytest.mark.parametrize(
    ("about", "status"),
    [("nomodel", 404), ("toytown/nowhere", 404), ("toytown/mixed4a/999", 404), ("a/b/c/d", 400)],
)
def test_a_list_about_nothing_says_so(site: Client, about: str, status: int) -> None:
    assert site.get(f"/claims?about={about}").status_code == status


def test_of_many_claims_a_unit_names_some(tmp_path: Path) -> None:
    site = atlas_with(tmp_path, *[f"toytown/mixed4b/3 <- mixed4a/{n}" for n in range(20)])
    data = site.get("/models/toytown/mixed4b/3.json").json()["claims"]
    assert (len(data["claims"]), data["total"]) == (MOST_LINKED, 20)
    assert data["url"] == "/claims?about=toytown%2Fmixed4b%2F3"
    assert "All 20 claims" in site.get("/models/toytown/mixed4b/3").text
    assert len(site.get(data["url"].replace("?", ".json?")).json()["claims"]) == 20


def test_a_claim_names_the_others_about_its_target(site: Client) -> None:
    data = site.get("/claims/toytown/mixed4b/3=mixed4a/130-mixed4a/1.json").json()
    others = [one["text"].partition("/")[2] for one in data["others"]["claims"]]
    assert others == ["mixed4c/5 <- mixed4b/3", "mixed4b/3 <- mixed4a/130 above - mixed4a/1"]
    assert data["circuit"] == "/circuits/toytown/mixed4b/3"


def test_it_costs_a_page_next_to_nothing() -> None:
    """In CPU time, with the gallery of BVLC GoogLeNet; a page of a unit takes some milliseconds."""
    atlas = Library([bundled_gallery()]).snapshot().model("inceptionv1_caffe")
    urls, units = Urls(), [(f"inception_4{b}", u) for b in "bcd" for u in range(500)]
    linked_claims(atlas, urls, "inception_4c", 499)
    linked_claims(atlas, urls, "inception_4b", 454)
    linked_claims(atlas, urls, "inception_4b", 330)
    took = []
    for _ in range(3):
        before = time.process_time()
        for node, unit in units:
            linked_claims(atlas, urls, node, unit)
        took.append((time.process_time() - before) / len(units))
    assert float(np.median(took)) < 2e-4
