"""A lens whose code fails costs its own part of a page, and says so."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lens_samples
import pytest
from html_document import Document
from web_client import Client

import micrograph.lenses as registry
from micrograph.errors import BadInput, MicrographError, NotFound, Unavailable
from micrograph.web import failures
from micrograph.web.kept_pages import KeptPages

UNIT = "/models/lensed/mixed1a/3"
NODE = "/models/lensed/mixed1a"
LINE = (
    "{} cannot be shown here, its code failed (ZeroDivisionError: 'by <b>'); "
    "the site's log says where"
)


def failing(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("by <b>")


@pytest.fixture(scope="module")
def lenses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    lens_samples.write(folder)
    return folder


@pytest.fixture
def site(client_of: Callable[..., Client], lenses: Path) -> Client:
    return client_of(lenses)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are made anew: here the code changes under them, and no file does."""
    monkeypatch.setattr(KeptPages, "get", lambda *_: None)


@pytest.fixture(autouse=True)
def empty_log() -> Iterator[None]:
    failures.log_once.cache_clear()
    yield
    failures.log_once.cache_clear()


def pictures(page: Document) -> set[str]:
    """What is shown: the microscope's own place is empty until it has made one."""
    images = page.all("img")
    assert [a for a in images if "src" not in a and not ("data-frame" in a and "hidden" in a)] == []
    return {a["src"] for a in images if "src" in a}


def broken(monkeypatch: pytest.MonkeyPatch, technique: str, part: str, by: object) -> None:
    changed = replace(registry.page(technique), **{part: by})
    monkeypatch.setitem(registry._pages, technique, changed)


@pytest.mark.parametrize(
    ("path", "technique", "title"),
    [
        (UNIT, "tuning", "Synthetic tuning"),
        (UNIT, "feature_vis", "Feature visualization"),
        (UNIT, "diversity", "Diversity"),
        (UNIT, "similar", "Similar units"),
        (NODE, "caricature", "Caricature"),
        (NODE, "neuron_groups", "Neuron groups"),
    ],
)
def test_a_part_that_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    site: Client,
    path: str,
    technique: str,
    title: str,
) -> None:
    assert registry.lens(technique).words.title == title
    whole = {one["technique"]: one for one in site.get(path + ".json").json()["sections"]}
    broken(monkeypatch, technique, "section", failing)
    with caplog.at_level(logging.ERROR):
        told = site.get(path + ".json").json()["sections"]
        page = site.get(path)
    parts = {one["technique"]: one for one in told}
    assert parts.pop(technique) == {
        "technique": technique,
        "form": "broken",
        "message": LINE.format(title),
    }
    whole.pop(technique)
    assert parts == whole
    assert page.status_code == 200
    document = Document(page.text)
    assert document.open == []
    assert [a.get("id") for _, a in document.tags].count(technique) == 1
    assert page.text.count('<p class="quiet broken">') == 1
    assert LINE.format(title).replace("<b>", "&lt;b&gt;").replace("'", "&#39;") in page.text
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_template_that_fails(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    client_of: Callable[..., Client],
    lenses: Path,
) -> None:
    broken(monkeypatch, "tuning", "drawings", {"families_of": failing})
    site = client_of(lenses)
    page, again = site.get(UNIT), site.get(UNIT)
    assert page.status_code == 200
    assert page.text == again.text
    assert Document(page.text).open == []
    assert "Synthetic tuning cannot be shown here" in page.text
    assert 'class="family"' not in page.text
    for other in ("feature_vis", "dataset_examples", "attribution", "similar"):
        assert f'<section class="lens" id="{other}"' in page.text
    assert "data-examples" in page.text
    assert len(caplog.records) == 1
    assert {one["form"] for one in site.get(UNIT + ".json").json()["sections"]} >= {"tuning"}


def test_what_a_broken_template_would_have_drawn_stands_alone(
    monkeypatch: pytest.MonkeyPatch, site: Client
) -> None:
    """Pictures of repeats are drawn by feature visualization's template: not when that fails."""
    before = Document(site.get(UNIT).text)
    plain = registry.page("feature_vis").section
    assert plain is not None

    def without_views(scene: Any) -> Any:
        made = plain(scene)
        return replace(made, groups=[replace(made.groups[0], shots=[])])

    broken(monkeypatch, "feature_vis", "section", without_views)
    text = site.get(UNIT).text
    after = Document(text)
    assert "Feature visualization cannot be shown here" in text
    for technique in ("diversity", "maco", "faceted_feature_vis", "joint"):
        assert f'<section class="lens" id="{technique}"' in text
    assert pictures(after) == pictures(before)
    assert after.open == []


def test_a_template_of_a_nodes_part_that_fails(
    monkeypatch: pytest.MonkeyPatch, site: Client
) -> None:
    plain = registry.page("deepdream").section
    assert plain is not None

    def without_picture(scene: Any) -> Any:
        made = plain(scene)
        return replace(made, shots=[replace(made.shots[0], image=None)])

    broken(monkeypatch, "deepdream", "section", without_picture)
    page = site.get(NODE)
    assert page.status_code == 200
    ids = [a.get("id") for _, a in Document(page.text).tags]
    assert [ids.count(one) for one in ("deepdream", "caricature", "activation_grid")] == [1, 1, 1]
    assert page.text.count("broken") == 1


def test_a_grid_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, site: Client) -> None:
    broken(monkeypatch, "tuning", "tiles", failing)
    twin = site.get(NODE + ".json?lens=tuning").json()
    assert twin["broken"] == LINE.format("Synthetic tuning")
    assert (twin["pictured"], len(twin["units"])) == (0, 16)
    assert "Synthetic tuning cannot be shown here" in site.get(NODE + "?lens=tuning").text
    assert site.get(NODE + ".json").json()["broken"] == ""


def test_variants_that_cannot_be_listed_go_by_their_names(
    monkeypatch: pytest.MonkeyPatch, site: Client
) -> None:
    broken(monkeypatch, "dataset_examples", "variants", failing)
    twin = site.get(NODE + ".json?lens=dataset_examples&variant=toys").json()
    assert (twin["variant"], twin["pictured"]) == ("toys", 16)


@pytest.mark.parametrize("error", [Unavailable, BadInput])
def test_an_atlas_that_cannot_be_read_is_no_broken_lens(
    monkeypatch: pytest.MonkeyPatch, site: Client, error: type[MicrographError]
) -> None:
    def unreadable(scene: object) -> object:
        raise error("the atlas is damaged")

    broken(monkeypatch, "tuning", "section", unreadable)
    answer = site.get(UNIT + ".json")
    assert (answer.status_code, answer.json()["message"]) == (error.status, "the atlas is damaged")


def test_a_lens_that_looks_for_what_does_not_exist_costs_its_own_part(
    monkeypatch: pytest.MonkeyPatch, site: Client
) -> None:
    def lost(scene: object) -> object:
        raise NotFound("no such node: conv9")

    broken(monkeypatch, "tuning", "section", lost)
    answer = site.get(UNIT + ".json")
    assert answer.status_code == 200
    assert "its code failed (NotFound: 'no such node: conv9')" in answer.text
