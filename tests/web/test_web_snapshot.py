"""Every page is made of one look at the folders."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import MODEL, NODES, sample_atlas
from web_client import Client

from micrograph.atlas import Library, bundled_catalogue, library
from micrograph.web import create_app
from micrograph.web.pages import model as model_pages

PAGES = (
    "/",
    "/models",
    "/about",
    "/search?q=car",
    "/search?q=nowhere",
    "/compare?here=tinynet&there=second",
    "/models/tinynet",
    "/models/tinynet/1a",
    "/models/tinynet/mixed1a",
    "/models/tinynet/mixed1a/3",
    "/models/nosuch",
    "/models/tinynet/mixed1a/99",
    "/models/TinyNet?models.op.name=conv0",
    "/resolve?q=tinynet/conv0/1",
)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One item for every look at the folders."""
    seen: list[object] = []
    scan = library.scan

    def counted(places: object) -> object:
        seen.append(places)
        return scan(places)

    monkeypatch.setattr(library, "scan", counted)
    return seen


@pytest.mark.parametrize("page", PAGES)
def test_a_page_looks_at_the_folders_once(page: str, tmp_path: Path, passes: list[object]) -> None:
    sample_atlas(tmp_path)
    sample_atlas(tmp_path, model=dataclasses.replace(MODEL, id="second"))
    site = Client(create_app(Library([tmp_path], bundled_catalogue())))
    site.get(page)
    assert len(passes) == 1


def test_a_file_replaced_during_a_request_is_seen_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client_of: Callable[..., Client]
) -> None:
    path = sample_atlas(tmp_path)
    fresh = sample_atlas(tmp_path / "later", nodes=NODES[:1])
    site = client_of(tmp_path)
    made = model_pages.family_of

    def replacing(id: str) -> object:
        if fresh.exists():
            os.replace(fresh, path)
        return made(id)

    monkeypatch.setattr(model_pages, "family_of", replacing)
    during = site.get("/models/tinynet.json")
    assert not fresh.exists()
    after = site.get("/models/tinynet.json")
    assert "mixed1a" in during.text
    assert "conv0" in after.text
    assert "mixed1a" not in after.text
