"""The map of units as page data and as HTML."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import web_samples

from micrograph.atlas import AtlasWriter, Library, Reading, Visualization
from micrograph.lenses.unit_map.page import units_map
from micrograph.parts.urls import Urls
from micrograph.web.html import Html

URLS = Urls("v")
DATA = {
    "method": "t-SNE <b>.",
    "columns": 5,
    "near": 0.5,
    "random": -0.125,
    "trustworthiness": 0.875,
}


def places(units: int, columns: int = 5, first: int = 0) -> np.ndarray:
    """One cell after the other, row by row, backwards."""
    cell = columns**2 - 1 - (first + np.arange(units))
    return ((np.stack([cell % columns, cell // columns], 1) + 0.5) / columns).astype(np.float32)


def row(
    node: str, xy: np.ndarray, variant: str = "node", seed: int = 0, **data: Any
) -> Visualization:
    recipe = {"technique": "unit_map", "variant": variant, "seed": seed, "of": repr(data)}
    recipe["view"] = variant
    return Visualization(node, None, recipe, 0.0, None, DATA | data, arrays={"xy": xy})


def atlas_of(folder: Path, *rows: Visualization) -> Reading:
    path = web_samples.write(folder)
    with AtlasWriter.open(path, web_samples.MODEL, web_samples.NODES) as writer:
        writer.put(rows)
    return Library([folder]).model("tinynet")


def test_a_nodes_map_lists_its_units_row_by_row(tmp_path: Path) -> None:
    atlas = atlas_of(tmp_path, row("conv0", places(8)))
    found = units_map(atlas, URLS, "conv0")
    assert found is not None
    assert [u.unit for u in found.units] == [7, 6, 5, 4, 3, 2, 1, 0]
    first = found.units[0]
    assert (first.node, first.url) == ("conv0", "/models/tinynet/conv0/7")
    assert (first.x, first.y) == (0.5, 0.7)
    assert first.image is not None
    assert first.image.url.startswith("/images/tinynet/")
    assert (found.cell, found.title, found.variant) == (0.2, "tinynet/conv0", "node")
    assert found.note == (
        "Neighbours on the map correlate 0.50 on average, any two units −0.12. "
        "Trustworthiness 0.88 of 1."
    )


def test_a_models_map_is_the_largest_that_was_made_in_one(tmp_path: Path) -> None:
    pair = ["conv0", "logits"]
    atlas = atlas_of(
        tmp_path,
        row("conv0", places(8), "model", together=pair),
        row("logits", places(3, first=8), "model", together=pair),
        row("mixed1a", places(16), "model", together=["mixed1a"]),
    )
    found = units_map(atlas, URLS)
    assert found is not None
    assert {u.node for u in found.units} == {"conv0", "logits"}
    assert len(found.units) == 11
    assert found.title == "tinynet"
    assert units_map(atlas, URLS, "conv0") is None, "the model's map is not the node's"


def test_units_without_picture_are_there_too(tmp_path: Path) -> None:
    found = units_map(atlas_of(tmp_path, row("empty", places(5))), URLS, "empty")
    assert found is not None
    assert [u.image for u in found.units] == [None] * 5


@pytest.mark.parametrize("xy", [places(7), places(8)[:, :1], np.full((8, 2), np.nan, np.float32)])
def test_an_unsound_map_is_none(tmp_path: Path, xy: np.ndarray) -> None:
    assert units_map(atlas_of(tmp_path, row("conv0", xy)), URLS, "conv0") is None
    assert units_map(Library([tmp_path]).model("tinynet"), URLS, "wide") is None


def test_senseless_columns_do_not_divide_by_zero(tmp_path: Path) -> None:
    found = units_map(atlas_of(tmp_path, row("conv0", places(8), columns=0)), URLS, "conv0")
    assert found is not None
    assert found.cell == 0.25


def test_the_fragment_has_a_link_per_unit_and_escapes(tmp_path: Path) -> None:
    found = units_map(atlas_of(tmp_path, row("conv0", places(8))), URLS, "conv0")
    environment = Html(URLS).environment
    fragment = environment.get_template("lenses/unit_map/page.html").module
    html = str(fragment.units_map(found))  # type: ignore[attr-defined]
    assert re.findall(r'href="/models/tinynet/conv0/(\d)"', html) == list("76543210")
    assert 'data-cell="0.2"' in html
    assert "t-SNE &lt;b&gt;." in html
    assert html.count("data-src=") == 8
