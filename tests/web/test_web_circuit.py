"""The page of a circuit: what is shown is what the weights say, all choices are in its address."""

import base64
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
import torch
from crawling import links_of, paths_in
from html_document import Document, check_links, check_page
from torch import nn
from web_client import Client

from micrograph import Model, Preprocessing
from micrograph.atlas import Atlas, AtlasWriter, Library, Picture, Visualization
from micrograph.runner import render
from micrograph.web import circuit_choice, create_app
from micrograph.web.pages import circuit
from micrograph.web.proxies import Proxies

PATH = "/circuits/planted/5/2"
BEFORE = {"5": ("3", 4), "3": ("1", 2)}
"""Of each node the one that it is built from, and where the weights between are."""


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(3)
    net = nn.Sequential(
        nn.Conv2d(3, 9, 3),
        nn.ReLU(),
        nn.Conv2d(9, 12, 3),
        nn.ReLU(),
        nn.Conv2d(12, 6, 1),
        nn.ReLU(),
    )
    return Model.of(net, id="planted", preprocessing=Preprocessing(16, 16))


@pytest.fixture(scope="module")
def folder(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("circuits")
    render(model, folder, technique=["connections"], strongest=6)
    path = folder / "planted.atlas"
    atlas = Atlas.open(path)
    recipe = {"technique": "feature_vis", "variant": "channel", "view": "channel", "seed": 0}
    with AtlasWriter.open(path, atlas.model, list(atlas.nodes.values())) as writer:
        writer.put([Visualization("3", unit, recipe, 1.0, shot(unit), {}) for unit in range(12)])
    return folder


def shot(unit: int) -> Picture:
    from micrograph.atlas import encode

    return encode(np.full((8, 8, 3), 20 * unit, np.uint8))


@pytest.fixture(scope="module")
def site(folder: Path) -> Client:
    return Client(create_app(Library([folder])))


def kernels(model: Model, node: str, unit: int) -> np.ndarray:
    return model.module[BEFORE[node][1]].weight.detach().numpy()[unit]


def strongest(model: Model, node: str, unit: int, width: int, sign: int = 0) -> list[str]:
    """By brute force over the weights."""
    found = kernels(model, node, unit)
    sums, sizes = found.sum((1, 2)), np.abs(found).sum((1, 2))
    fit = [u for u in range(len(found)) if sign * sums[u] >= 0]
    return [f"{BEFORE[node][0]}/{u}" for u in sorted(fit, key=lambda u: -sizes[u])[:width]]


def shown(site: Client, query: str = "", path: str = PATH) -> list[list[str]]:
    """The units of each column."""
    data = site.get(f"{path}.json?{query}").json()
    return [[one["id"] for one in column["units"]] for column in data["circuit"]["columns"]]


@pytest.mark.parametrize(("sign", "name"), [(0, "all"), (1, "excites"), (-1, "inhibits")])
def test_the_strongest_inputs_and_theirs(site: Client, model: Model, sign: int, name: str) -> None:
    target, first, second = shown(site, f"width=3&sign={name}")
    assert target == ["5/2"]
    assert sorted(first) == sorted(strongest(model, "5", 2, 3, sign))
    theirs = {one for id in first for one in strongest(model, "3", int(id[2:]), 3, sign)}
    assert sorted(second) == sorted(theirs)


def test_numbers_are_those_of_the_weights(site: Client, model: Model) -> None:
    data = site.get(PATH + ".json?width=2").json()["circuit"]
    units = {one["id"]: one for column in data["columns"] for one in column["units"]}
    seen: dict[str, float] = dict.fromkeys(units, 0.0)
    for edge in data["edges"]:
        node, unit = edge["target"].split("/")
        found = kernels(model, node, int(unit))
        kernel = found[int(edge["source"].split("/")[1])]
        share = np.abs(kernel).sum() / np.abs(found).sum()
        assert np.allclose(edge["kernel"], kernel, atol=2e-3)
        assert edge["strength"] == pytest.approx(kernel.sum(), abs=1e-4)
        assert edge["share"] == pytest.approx(share, abs=1e-5)
        seen[edge["target"]] += share
    for id, unit in units.items():
        drawn = sum(edge["target"] == id for edge in data["edges"])
        if id.startswith("1/"):
            assert (unit["others"], unit["rest"], drawn) == (None, None, 0)
        else:
            assert unit["others"] == {"5": 12, "3": 9}[unit["node"]] - drawn
            assert unit["rest"] == pytest.approx(1 - seen[id], abs=1e-5)
            percent = f"{round(100 * unit['rest'])} % of Σ|w|"
            assert unit["rest_in_words"] == f"other {unit['others']}: {percent}"
    for column in data["columns"][1:]:
        weights = [e["kernel"] for e in data["edges"] if e["source"].startswith(column["node"])]
        assert column["scale"] == max(np.abs(np.array(one)).max() for one in weights)


def test_steps_back(site: Client) -> None:
    assert [len(shown(site, f"depth={n}")) for n in (1, 2, 3)] == [2, 3, 3]
    data = site.get(PATH + ".json?depth=3").json()
    assert data["circuit"]["ends"].startswith("no node lies before 1")
    assert data["missing"] == data["command"] == ""


def test_pinned_units_are_always_shown_and_removed_ones_never(site: Client, model: Model) -> None:
    _, first, _ = shown(site, "width=1&sign=excites")
    (weak,) = strongest(model, "5", 2, 6, -1)[1:2]  # of the other sign, and not the strongest
    _, both, second = shown(site, f"width=1&sign=excites&pin={weak}")
    assert sorted(both) == sorted([*first, weak])
    _, other, _ = shown(site, f"width=1&sign=excites&without={first[0]}")
    assert other == strongest(model, "5", 2, 2, 1)[1:]
    assert not {second[0]} & {*shown(site, f"width=1&pin={weak}&without={second[0]}")[2]}
    address = f"{PATH}?pin={weak},1/0&without={first[0]}&depth=1"
    check_page(site, address)
    assert "not among the stored inputs of what is shown" in site.get(address).text
    data = site.get(f"{PATH}.json?pin={weak},1/0&without={first[0]}&depth=1").json()
    assert data["circuit"]["unplaced"] == ["1/0"]
    without = {one["text"]: one["url"] for one in data["pinned"] + data["removed"]}
    assert "pin=1%2F0" in without[weak]
    assert f"pin={weak.replace('/', '%2F')}" in without["1/0"]
    assert "without" not in without[first[0]]


def test_a_spelling_of_a_pin_does_not_matter(site: Client) -> None:
    plain = shown(site, "pin=3/1")
    assert shown(site, "pin=planted/3/1, 3/1") == plain == shown(site, "pin=PLANTED/3/01")


@pytest.mark.parametrize(("key", "option"), [("remove", "without"), ("pin", "pin")])
def test_no_link_names_more_units_than_an_address_may(
    site: Client, monkeypatch, key: str, option: str
) -> None:
    for module in (circuit_choice, circuit):
        monkeypatch.setattr(module, "MOST_NAMED", 2)

    def offered(address: str) -> list[list[str]]:
        answer = site.get(address.replace(PATH, f"{PATH}.json"))
        assert answer.status_code == 200
        links = [httpx.URL(one[key]) for one in answer.json()["units"].values()]
        return [link.params.get(option, "").split(",") for link in links]

    (one, *_) = (named for named in offered(PATH) if named != [""])
    two = next(named for named in offered(f"{PATH}?{option}={one[0]}") if len(named) == 2)
    full = f"{PATH}?{option}={','.join(two)}"
    assert max(map(len, offered(full))) <= 2
    text = site.get(full).text
    assert "its circuit" in text
    assert (">remove<" in text) == (key == "pin")
    assert (">pin<" in text) == (key == "remove")


def test_every_control_is_a_link_or_a_form(site: Client) -> None:
    page = check_page(site, PATH + "?width=2&pin=3/1")
    check_links(site, page)
    links = [a["href"] for a in page.all("a") if a.get("href", "").startswith(PATH + "?")]
    for part in ("depth=1", "depth=3", "width=8", "sign=excites", "sign=inhibits", "without=3%2F"):
        assert any(part in link for link in links), part
    fields = {a["name"]: a.get("value") for a in page.all("input") if "name" in a}
    assert {k: fields[k] for k in ("depth", "width", "sign", "pin", "without")} == {
        "depth": "2",
        "width": "2",
        "sign": "all",
        "pin": "3/1",
        "without": "",
    }
    assert "/models/planted/5/2" in [a.get("href") for a in page.all("a")]
    unit = Document(site.get("/models/planted/5/2").text)
    assert PATH in [a.get("href") for a in unit.all("a")]


def test_under_a_path_of_another_site(folder: Path) -> None:
    client = Client(create_app(Library([folder]), proxies=Proxies("127.0.0.1", "/lab")))
    text, twin = client.get("/lab" + PATH).text, client.get("/lab" + PATH + ".json").json()
    found = [url for url in [*links_of(text), *paths_in(twin)] if not url.startswith("#")]
    assert all(url.startswith("/lab/") for url in found)
    for part in (".svg", ".graph.json", "?depth=3", "?pin=3%2F", "?without=3%2F"):
        (address, *_) = (url for url in found if url.startswith("/lab" + PATH + part))
        assert client.get(address).status_code == 200
    drawing = client.get("/lab" + PATH + ".svg").text
    assert set(re.findall(r'<a href="([^"]*?)/models/', drawing)) == {"http://site/lab"}


def test_a_drawing_that_needs_nothing_else(site: Client, folder: Path) -> None:
    answer = site.get(PATH + ".svg?width=2")
    assert answer.headers["content-type"] == "image/svg+xml"
    root = ElementTree.fromstring(answer.text)
    names = {one.tag.partition("}")[2] for one in root.iter()}
    assert not names & {"script", "style", "foreignObject", "use"}
    _, first, second = shown(site, "width=2")
    pictures = [one.get("href", "") for one in root.iter() if one.tag.endswith("}image")]
    assert len(pictures) == len(first)  # those of the node whose units have one
    stored = {
        atlas.picture(tile.digest).data  # type: ignore[union-attr]
        for atlas in [Atlas.open(folder / "planted.atlas")]
        for tile in atlas.tiles("3", "feature_vis", "channel", min_width=8)
    }
    for url in pictures:
        assert base64.b64decode(re.sub("^data:image/[a-z]+;base64,", "", url)) in stored
    links = [one.get("href", "") for one in root.iter() if one.tag.endswith("}a")]
    assert len(links) == 1 + len(first) + len(second)
    assert all(link.startswith("http://site/models/planted/") for link in links)
    assert (
        site.get("/circuits/PLANTED/5/02.svg?depth=1").headers["location"] == PATH + ".svg?depth=1"
    )


def test_a_graph_that_other_viewers_read(site: Client) -> None:
    graph = site.get(PATH + ".graph.json?width=2").json()
    data = site.get(PATH + ".json?width=2").json()["circuit"]
    named = {one["node_id"]: one for one in graph["nodes"]}
    assert len(named) == len(graph["nodes"]) == sum(len(c["units"]) for c in data["columns"])
    assert graph["metadata"]["prompt"] == "weights alone, no picture"
    assert {one["activation"] for one in graph["nodes"]} == {None}
    found = {(named[e["source"]]["clerp"], e["target"]): e["weight"] for e in graph["links"]}
    assert len(found) == len(data["edges"])
    (target,) = [one["node_id"] for one in graph["nodes"] if one["is_target_logit"]]
    for edge in data["edges"]:
        ids = (
            [target]
            if edge["target"] == "5/2"
            else [k for k, n in named.items() if n["clerp"] == edge["target"]]
        )
        assert found[edge["source"], ids[0]] == edge["strength"]


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("depth=4", 400, "depth='4' is not there; expected 1 or 2 or 3"),
        ("depth=", 400, "depth='' is not there"),
        ("width=0", 400, "expected 1 or 2 or 3 or 4 or 5 or 6 or 7 or 8"),
        ("sign=positive", 400, "expected all or excites or inhibits"),
        ("order=size", 400, "expected weight or activation"),
        ("branches=both", 400, "expected merged or apart"),
        ("pin=3", 400, "pin='3' is no unit; expected node/unit"),
        ("pin=3/99", 404, "out of range"),
        ("without=nosuch/1", 404, "nosuch"),
        ("without=5/2", 400, "is the unit itself"),
        ("pin=3/1&without=3/1", 400, "both in pin= and in without="),
        ("pin=" + ",".join(["3/1"] * 65), 400, "at most 64"),
    ],
)
@pytest.mark.parametrize("ending", [".json", ".svg", ".png", ".graph.json"])
def test_what_cannot_be_is_refused(
    site: Client, query: str, status: int, said: str, ending: str
) -> None:
    answer = site.get(f"{PATH}{ending}?{query}")
    assert answer.status_code == status
    assert said in answer.json()["message"]


def test_what_is_not_stored_names_its_command(folder: Path, tmp_path: Path) -> None:
    atlas = Atlas.open(folder / "planted.atlas")
    path = tmp_path / "planted.atlas"
    AtlasWriter.open(path, atlas.model, list(atlas.nodes.values())).close()
    site = Client(create_app(Library([tmp_path])))
    data = site.get(PATH + ".json").json()
    assert data["missing"] == "No connections of 5 are stored"
    assert data["command"] == "micrograph render planted --node 5 -t connections"
    check_page(site, PATH)
    assert data["command"] in site.get(PATH).text
    assert site.get(PATH + ".svg").status_code == 200


@pytest.mark.parametrize(
    "odd",
    [
        {"other": "5", "count": 3},
        {"other": "nosuch", "count": 3},
        {"other": "3", "count": -1},
        {"other": 7},
    ],
)
def test_what_others_may_have_written_costs_itself_only(
    folder: Path, tmp_path: Path, odd: dict[str, Any]
) -> None:
    atlas = Atlas.open(folder / "planted.atlas")
    arrays = {
        "units": np.array([[0, 0, 99, -5, 1, 2]] * 6, np.int32),
        "strength": np.array([[1, 2, 3, 4, np.nan, -1]] * 6, np.float32),
        "share": np.array([[0.5, 0.5, 0.5, 0.5, 0.5, 3]] * 6, np.float32),
        "kernels": np.full((6, 6, 2, 2), np.inf, np.float16),
    }
    path = tmp_path / "planted.atlas"
    recipe = {"technique": "connections", "variant": "inputs", "view": "inputs", "seed": 0}
    with AtlasWriter.open(path, atlas.model, list(atlas.nodes.values())) as writer:
        writer.put([Visualization("5", None, recipe, 0.0, None, odd, arrays=arrays)])
    site = Client(create_app(Library([tmp_path])))
    check_page(site, PATH)
    ElementTree.fromstring(site.get(PATH + ".svg").text)
    assert site.get(PATH + ".graph.json").status_code == 200
    if odd["other"] == "3":
        assert sorted(shown(site)[1]) == ["3/0", "3/2"]
    else:
        assert shown(site) == [["5/2"]]
