"""Circuits with the branches of a block apart, by activation, and as PNG."""

from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from html_document import check_page
from PIL import Image
from torch import Tensor, nn
from web_client import Client

from micrograph import Model, Preprocessing
from micrograph.atlas import Atlas, AtlasWriter, Library, Visualization, encode
from micrograph.runner import render
from micrograph.web import create_app

PATH = "/circuits/branching/last/2"
COLOUR = (200, 40, 90)
"""Of the picture of each unit of the block."""


class Block(nn.Module):
    """Two branches that are concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Conv2d(9, 6, 1), nn.Conv2d(9, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.small(x).relu(), self.large(x).relu()], 1)


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(5)
    parts = OrderedDict(
        stem=nn.Conv2d(3, 9, 3),
        relu=nn.ReLU(),
        block=Block(),
        last=nn.Conv2d(14, 5, 3, padding=1),
    )
    net = nn.Sequential(parts)
    return Model.of(net, id="branching", preprocessing=Preprocessing(16, 16))


@pytest.fixture(scope="module")
def folder(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("branching")
    render(model, folder, technique=["connections"], strongest=2)
    path = folder / "branching.atlas"
    atlas = Atlas.open(path)
    picture = encode(np.full((8, 8, 3), COLOUR, np.uint8), "png")
    portrait = {"technique": "feature_vis", "variant": "channel", "view": "channel", "seed": 0}
    swept = {"technique": "dataset_examples", "view": "toys", "seed": 0}
    with AtlasWriter.open(path, atlas.model, list(atlas.nodes.values())) as writer:
        writer.put([Visualization("block", u, portrait, 1.0, picture, {}) for u in range(14)])
        writer.put(
            Visualization("block", u, swept, 1.0, None, {"dataset": "ab" * 32, "mean": level(u)})
            for u in range(14)
        )
    return folder


def level(unit: int) -> float:
    return float((7 * unit) % 14)


@pytest.fixture(scope="module")
def site(folder: Path) -> Client:
    return Client(create_app(Library([folder])))


def circuit(site: Client, query: str) -> dict[str, Any]:
    data: dict[str, Any] = site.get(f"{PATH}.json?{query}").json()
    return data


def sizes(model: Model) -> np.ndarray:
    weights = model.module.get_submodule("last").weight.detach().numpy()[2]
    found: np.ndarray = np.abs(weights).sum((1, 2))
    return found


def test_each_branch_has_its_strongest(site: Client, model: Model) -> None:
    data = circuit(site, "branches=apart&depth=1&width=2")
    target, inputs = data["circuit"]["columns"]
    size = sizes(model)
    small, large = size[:6].argsort()[::-1][:2], 6 + size[6:].argsort()[::-1][:2]
    assert {one["unit"] for one in inputs["units"]} == {*small.tolist(), *large.tolist()}
    for one in inputs["units"]:
        branch, first = ("block.small", 0) if one["unit"] < 6 else ("block.large", 6)
        assert (one["branch"], one["branch_unit"]) == (branch, one["unit"] - first)
    assert [one["branch"] for one in inputs["units"]] == ["block.small"] * 2 + ["block.large"] * 2
    rests = {one["branch"]: one for one in target["units"][0]["branch_rests"]}
    for name, own, chosen in (("block.small", size[:6], small), ("block.large", size[6:], large)):
        assert rests[name]["others"] == len(own) - 2
        left = (own.sum() - size[chosen].sum()) / size.sum()
        assert rests[name]["rest"] == pytest.approx(left, abs=1e-3)
    assert target["units"][0]["rest"] == pytest.approx(
        sum(one["rest"] for one in rests.values()), abs=1e-3
    )
    check_page(site, f"{PATH}?branches=apart&depth=1&width=2")
    assert "block.small" in site.get(f"{PATH}?branches=apart&depth=1&width=2").text
    assert data["units"][inputs["units"][0]["id"]]["branch"]["url"].startswith(
        "/models/branching/block.small/"
    )


def test_by_activation(site: Client, model: Model) -> None:
    data = circuit(site, "order=activation&depth=1&width=3")
    weighed = sizes(model) * [level(u) for u in range(14)]
    units = {one["unit"] for one in data["circuit"]["columns"][1]["units"]}
    assert units == set(weighed.argsort()[::-1][:3].tolist())
    assert data["circuit"]["datasets"] == ["toys"]
    for edge in data["circuit"]["edges"]:
        unit = int(edge["source"].rpartition("/")[2])
        assert edge["share"] == pytest.approx(weighed[unit] / weighed.sum(), abs=1e-3)
        assert edge["typical"] == level(unit)
    further = circuit(site, "order=activation&depth=2")
    assert further["missing"].startswith("No sweep over a dataset tells the typical activations")
    assert further["command"].endswith("-t dataset_examples --dataset FOLDER")
    check_page(site, f"{PATH}?order=activation&depth=2")


def test_every_choice_stands_in_the_address(site: Client) -> None:
    data = circuit(site, "branches=apart&order=activation&depth=1")
    for one in data["units"].values():
        if one["pin"]:
            assert "branches=apart" in one["pin"]
            assert "order=activation" in one["pin"]
    assert data["png"] == f"{PATH}.png?depth=1&order=activation&branches=apart"


def test_the_drawing_as_pixels(site: Client) -> None:
    answer = site.get(f"{PATH}.png?depth=1&width=3")
    assert answer.headers["content-type"] == "image/png"
    image = Image.open(BytesIO(answer.content))
    svg = site.get(f"{PATH}.svg?depth=1&width=3").text
    width, height = (
        float(svg.split(f' {side}="')[1].split('"')[0]) for side in ("width", "height")
    )
    assert image.size == (round(2 * width), round(2 * height))
    pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    shown = (np.abs(pixels - COLOUR).max(1) < 4).sum()
    assert shown == pytest.approx(
        3 * 144 * 144, rel=0.05
    )  # three pictures of 72 px, twice as large
    assert (pixels.min(1) > 250).mean() > 0.4  # on white paper
    orange, blue = (217, 85, 0), (28, 99, 176)
    for end in (orange, blue):  # of the scale of weights
        assert (np.abs(pixels - end).max(1) < 8).sum() > 50
