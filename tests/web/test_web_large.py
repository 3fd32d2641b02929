"""Atlases as large as the format allows: every page of them has a size and a time, and what is not
on it is on the next."""

import time
from pathlib import Path

import huge_atlases
import pytest
from html_document import check_page
from web_client import Client

from micrograph.atlas import Library
from micrograph.web import create_app
from micrograph.web.pages.node import MOST_SORTED, PER_PAGE

MOST_BYTES = 1_500_000
"""Of any page: a browser shows that at once."""
SECONDS = 15.0
"""Of this process, for any page: a tenth of that where nothing else runs."""
UNITS, PICTURED = 1_000_000, MOST_SORTED + 10
GRID = f"/models/units/{huge_atlases.PICTURED}"
RESULTS = f"/models/results/{huge_atlases.PICTURED}/3"


PAGES = [
    "/",
    "/models",
    "/models/units",
    GRID,
    GRID + "?page=489",
    GRID + "/5",
    GRID + "/999999",
    "/compare?here=units&there=some",
    "/search?q=mixed1b",
    "/search?q=cat",
    "/search?q=c",
    "/models/labels",
    "/models/labels/logits",
    "/models/labels/logits/9999",
    "/models/nodes",
    "/models/nodes?open=all&page=2",
    "/models/nodes/n2999",
    "/models/nodes/n5/3",
    RESULTS,
    RESULTS + "?page=2",
    "/search?q=n",
]


def site_of(folder: Path, labels: int, nodes: int, results: int) -> Client:
    huge_atlases.many_units(folder, "units", UNITS, PICTURED)
    huge_atlases.many_units(folder, "some", 5000, 2500)
    huge_atlases.many_labels(folder, "labels", labels)
    huge_atlases.many_nodes(folder, "nodes", nodes, 5 * nodes)
    huge_atlases.many_nodes(folder, "chain", 3000, 3000)
    huge_atlases.many_results(folder, "results", results)
    return Client(create_app(Library([folder])))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return site_of(tmp_path_factory.mktemp("large"), 10_000, 3000, 600)


@pytest.mark.parametrize("path", [GRID, GRID + "/5", "/models/nodes", RESULTS, "/search?q=cat"])
def test_a_page_has_a_size_and_a_time(large: Client, path: str) -> None:
    is_bounded(large, path)


@pytest.mark.nightly
def test_every_page_at_the_limits(tmp_path: Path) -> None:
    site = site_of(tmp_path, 900_000, 19_900, 9_900)
    for path in PAGES:
        is_bounded(site, path)


def is_bounded(large: Client, path: str) -> None:
    page, mark, query = path.partition("?")
    for one in (path, page + ".json" + mark + query):
        started = time.process_time()
        answer = large.get(one)
        assert answer.status_code == 200
        assert time.process_time() - started < SECONDS
        assert len(answer.content) < MOST_BYTES


def test_the_pages_of_a_grid_hold_each_unit_once(large: Client) -> None:
    twin = large.get("/models/some/mixed1b.json").json()
    seen, numbers = [], []
    while True:
        paging = twin["paging"]
        numbers.append(paging["number"])
        assert [u["unit"] for u in twin["units"]] == [*range(paging["first"], paging["end"])]
        assert (twin["pictured"], paging["total"], paging["pages"]) == (2500, 5000, 3)
        seen += twin["units"]
        if not paging["next"]:
            break
        path, _, query = paging["next"].partition("?")
        twin = large.get(f"{path}.json?{query}").json()
    assert numbers == [1, 2, 3]
    assert [u["unit"] for u in seen] == [*range(5000)]
    assert [u["unit"] for u in seen if u["image"]] == [*range(2500)]


@pytest.mark.parametrize("sort", ["strong", "weak", "colour"])
def test_pages_follow_the_order_of_the_whole_grid(large: Client, sort: str) -> None:
    pages = [
        large.get(f"/models/some/mixed1b.json?sort={sort}&size=s&page={n}").json()
        for n in (1, 2, 3)
    ]
    units = [u for page in pages for u in page["units"]]
    assert sorted(u["unit"] for u in units) == [*range(5000)]
    assert [u["image"] is not None for u in units] == [True] * 2500 + [False] * 2500
    scores = [u["score"] for u in units[:2500]]
    if sort != "colour":
        assert scores == sorted(scores, reverse=sort == "strong")
    assert pages[0]["paging"]["next"] == f"/models/some/mixed1b?sort={sort}&size=s&page=2"


def test_a_page_of_a_grid_is_a_page(large: Client) -> None:
    page = check_page(large, "/models/some/mixed1b?page=2")
    assert [a["href"] for a in page.all("a") if a.get("rel") == "prev"][-1] == (
        "/models/some/mixed1b#feature_vis"
    )
    assert [a["href"] for a in page.all("a") if a.get("rel") == "next"][-1] == (
        "/models/some/mixed1b?page=3#feature_vis"
    )
    assert large.get("/models/some/mixed1b?page=1").text.count("data-unit=") == PER_PAGE
    up = check_page(large, "/models/some/mixed1b/4096").all("link")
    assert "/models/some/mixed1b?page=3#u4096" in [a["href"] for a in up if a["rel"] == "up"]


@pytest.mark.parametrize("page", ["4", "0", "999999"])
def test_behind_the_last_page_there_is_none(large: Client, page: str) -> None:
    answer = large.get(f"/models/some/mixed1b.json?page={page}")
    assert answer.status_code == 404
    assert answer.json()["message"] == (
        f"There is no page {int(page)} of the units of mixed1b; the last one is 3."
    )


def test_more_pictures_than_can_be_sorted_are_not(large: Client) -> None:
    answer = large.get(f"{GRID}.json?sort=strong")
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        f"sort='strong' is not there; expected unit for a grid of {PICTURED} pictures"
    )
    switches = large.get(f"{GRID}.json").json()["switches"]
    assert "sort" not in [switch["name"] for switch in switches]


def test_grids_that_fit_are_whole(client: Client) -> None:
    twin = client.get("/models/tinynet/wide.json").json()
    assert len(twin["units"]) == 1024
    assert twin["paging"] == {
        "total": 1024,
        "number": 1,
        "pages": 1,
        "first": 0,
        "end": 1024,
        "previous": "",
        "next": "",
    }
    assert 'class="pages"' not in client.get("/models/tinynet/wide").text


def test_the_drawings_of_a_graph_hold_each_node_once(large: Client) -> None:
    twin, ids, edges = large.get("/models/chain.json").json(), [], []
    first = twin["graph"]["nodes"][0]
    assert (first["id"], first["label"]) == ("input", "input")
    while True:
        ids += [n["id"] for n in twin["graph"]["nodes"] if n["id"] != "input"]
        edges += [(e["source"], e["target"]) for e in twin["graph"]["edges"]]
        if not twin["paging"]["next"]:
            break
        path, _, query = twin["paging"]["next"].partition("?")
        twin = large.get(f"{path}.json?{query}").json()
        first = twin["graph"]["nodes"][0]
        assert (first["id"], first["label"]) == ("input", "earlier nodes")
    assert twin["paging"]["pages"] == 3
    assert len(ids) == len({*ids}) == twin["paging"]["total"] == 3004
    drawn = {(s, t) for s, t in edges if s != "input"}
    assert len(drawn & {(f"n{i}", f"n{i + 1}") for i in range(2999)}) == 2999 - 2
    page = check_page(large, "/models/chain?page=2")
    assert "/models/chain?page=3#graph" in [a.get("href") for a in page.all("a")]
    assert large.get("/models/chain?page=4").status_code == 404


def test_the_small_map_beside_a_page_is_the_part_that_it_is_in(large: Client) -> None:
    text = large.get("/models/chain/n2900").text
    assert "<title>n2900</title>" in text
    assert "<title>n5</title>" not in text


def test_pages_of_results_hold_each_once(large: Client) -> None:
    twin, seeds = large.get(RESULTS + ".json").json(), []
    while True:
        seeds += [v["seed"] for v in twin["visualizations"]]
        assert twin["sections"][0]["technique"] == "feature_vis"
        if not twin["paging"]["next"]:
            break
        path, _, query = twin["paging"]["next"].partition("?")
        twin = large.get(f"{path}.json?{query}").json()
    assert len(seeds) == len({*seeds}) == twin["paging"]["total"] == 600
    page = check_page(large, RESULTS + "?page=2")
    assert RESULTS + "?page=3" in [a.get("href") for a in page.all("a")]
