"""Pages about a published set: with the reader's own copy, and without it."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import published_samples as samples
import pytest
from web_client import Client

from micrograph.atlas import Atlas
from micrograph.models import load
from micrograph.published import copy_of
from micrograph.runner import render

NODE = "mixed4a"
GRID = f"/models/toytown/{NODE}?lens=dataset_examples"
COMMAND = f"micrograph dataset fetch {samples.NAME}"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas of toytown on the six drawings."""
    folder = tmp_path_factory.mktemp("swept")
    with pytest.MonkeyPatch.context() as patch:
        listed = samples.known(patch, folder / "data")
        samples.fill(copy_of(listed).wanted_at)
        model = load("toytown")
        found = render(
            model,
            folder / "atlas",
            technique=["dataset_examples"],
            nodes=[NODE],
            dataset=samples.NAME,
        )
        assert not found.interrupted
    return folder / "atlas"


@pytest.fixture
def copy_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the reader's copy would be; empty."""
    return copy_of(samples.known(monkeypatch, tmp_path / "data")).wanted_at


@pytest.fixture
def site(swept: Path, client_of: Callable[..., Client]) -> Client:
    return client_of(swept)


def best_values(swept: Path) -> dict[int, list[float]]:
    """The values of each unit's strongest pictures, the largest first."""
    found = Atlas.open(swept / "toytown.atlas").results(NODE, "dataset_examples", samples.NAME)
    return {u: [value for *_, value in v.data["top"]] for u, v in found.items() if u is not None}


@pytest.fixture(scope="module")
def page(swept: Path) -> str:
    """The page of a unit that fires on all six."""
    unit = next(unit for unit, values in best_values(swept).items() if values[-1] > 0)
    return f"/models/toytown/{NODE}/{unit}"


@pytest.fixture(scope="module")
def silent(swept: Path) -> int:
    """How many units fire on none of them."""
    return sum(values[0] <= 0 for values in best_values(swept).values())


def section(site: Client, page: str) -> dict:
    sections = site.get(f"{page}.json").json()["sections"]
    return next(s for s in sections if s["technique"] == "dataset_examples")


def test_the_atlas_names_the_pictures_and_holds_none(swept: Path, copy_folder: Path) -> None:
    with sqlite3.connect(swept / "toytown.atlas") as connection:
        assert connection.execute("SELECT count(*) FROM picture").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM sample").fetchone() == (6,)
    atlas = Atlas.open(swept / "toytown.atlas")
    (dataset,) = atlas.datasets()
    assert (dataset.name, dataset.classes) == (samples.NAME, samples.CLASSES)
    assert dataset.digest == samples.listing().digest
    assert all(s.picture is None for s in atlas.samples(dataset.digest, range(6)).values())
    assert atlas.sample_classes(dataset.digest) == {n: n % 3 for n in range(6)}


def test_without_a_copy_tiles_name_the_class_and_say_once_how_to_get_it(
    site: Client, page: str, copy_folder: Path, silent: int
) -> None:
    found = section(site, page)
    assert COMMAND in found["note"]
    assert len(found["top"]) == 6
    for example in found["top"]:
        assert example["image"] is None
        assert example["cls"] == samples.CLASSES[example["number"] % 3]
    text = site.get(page).text
    assert text.count(COMMAND) == 1
    assert text.count(">sports car</span>") >= 2
    assert "<img" not in text.partition('class="examples"')[2].partition("Which classes")[0]
    grid = site.get(GRID).text
    assert grid.count(COMMAND) == 1
    units = load("toytown").node(NODE).units
    assert grid.count('class="blank named"') == units - silent


def test_with_a_copy_tiles_are_filled_from_it_at_once(
    site: Client, page: str, copy_folder: Path, silent: int
) -> None:
    assert section(site, page)["top"][0]["image"] is None
    samples.fill(copy_folder)  # while the site runs
    found = section(site, page)
    assert found["note"] == ""
    bodies = set()
    for example in found["top"]:
        image = example["image"]
        assert (image["width"], image["height"]) == (96, 96)
        answer = site.get(image["url"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        bodies.add(answer.content)
    assert len(bodies) == 6
    assert COMMAND not in site.get(page).text
    grid = site.get(GRID).text
    assert COMMAND not in grid
    assert "blank named" not in grid
    assert grid.count('class="blank"') == silent


def test_some_pictures_are_shown_where_others_are_missing(
    site: Client, page: str, copy_folder: Path
) -> None:
    samples.fill(copy_folder)
    gone = copy_folder / samples.listing().pictures[2].name
    gone.unlink()
    found = section(site, page)
    assert COMMAND in found["note"]
    assert {e["number"] for e in found["top"] if e["image"] is None} == {2}


def test_another_file_in_the_copy_is_neither_shown_nor_served(
    site: Client, page: str, copy_folder: Path
) -> None:
    samples.fill(copy_folder)
    url = next(e["image"]["url"] for e in section(site, page)["top"] if e["number"] == 4)
    path = copy_folder / samples.listing().pictures[4].name
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert {e["number"] for e in section(site, page)["top"] if e["image"] is None} == {4}
    assert site.get(url).status_code == 404
    path.unlink()
    forged = bytearray(samples.drawing(4))
    forged[len(forged) // 2] ^= 1
    path.write_bytes(forged)
    assert {e["number"] for e in section(site, page)["top"] if e["image"] is None} == {4}
    assert site.get(url).status_code == 404
    assert b"root:" not in site.get(url).content


def test_a_file_that_changes_in_its_place_changes_the_pages(
    site: Client, page: str, copy_folder: Path
) -> None:
    samples.fill(copy_folder)
    whole = site.get(page).text
    file = next(copy_folder.iterdir())
    data = file.read_bytes()
    file.write_bytes(data + b"more")
    assert site.get(page).text != whole
    file.write_bytes(data)
    assert site.get(page).text == whole


def test_scaled_copies_are_shown_and_said_to_be_such(
    site: Client, page: str, copy_folder: Path
) -> None:
    samples.fill(copy_folder, samples.small)
    found = section(site, page)
    assert "scaled" in found["note"]
    assert all(e["image"] for e in found["top"])


def test_a_search_finds_units_by_the_classes_of_their_strongest_pictures(
    site: Client, swept: Path, copy_folder: Path
) -> None:
    atlas = Atlas.open(swept / "toytown.atlas")
    hits = [h for h in site.get("/search.json?q=dogs").json()["hits"] if h["kind"] == "class"]
    assert hits
    for hit in hits:
        _, node, unit = hit["address"].split("/")
        (result,) = atlas.visualizations(node, int(unit), "dataset_examples")
        assert {number for number, _, _ in result.data["top"][:2]} == {0, 3}, "the two beagles"
        assert hit["text"] == "dogs: 2 of its 2 strongest pictures of 6 drawings"
    assert "Units that fire on it" in site.get("/search?q=dogs").text
    assert not [h for h in site.get("/search.json?q=church").json()["hits"] if h["kind"] == "class"]


def test_a_picture_of_the_copy_is_never_larger_than_the_network_s_input(
    site: Client, page: str, copy_folder: Path
) -> None:
    samples.fill(copy_folder)
    url = section(site, page)["top"][0]["image"]["url"]
    assert site.get(url, if_none_match=f'"{os.path.basename(url)[:32]}"').status_code == 304
    assert site.get(url.replace(".jpg", ".webp")).status_code == 404
    assert site.get(f"/images/toytown/{'0' * 32}.jpg").status_code == 404
