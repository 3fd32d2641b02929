"""The map of units: from a dataset to places in the atlas."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from micrograph import Model, Preprocessing, load
from micrograph.atlas import Atlas
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.unit_map.engine import ENGINE as UNIT_MAP
from micrograph.models.pictures import read_picture
from micrograph.runner import render


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty plain pictures of all hues, and one that is broken."""
    folder = tmp_path_factory.mktemp("hues")
    for k in range(30):
        Image.new("HSV", (16, 16), (k * 8, 200, 220)).convert("RGB").save(folder / f"{k:02}.png")
    (folder / "99.png").write_bytes(b"\x89PNG broken")
    return folder


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 20, 1), nn.ReLU(), nn.Conv2d(20, 9, 1), nn.ReLU())
    return Model.of(module, id="hues", preprocessing=Preprocessing(16, 16))


def test_both_maps_are_stored(model: Model, folder: Path, tmp_path: Path) -> None:
    summary = render(model, tmp_path, technique=["unit_map"], dataset=str(folder))
    assert summary.rendered == 4
    atlas = Atlas.open(tmp_path / "hues.atlas")
    for node, units in (("1", 20), ("3", 9)):
        xy = atlas.arrays(node, None, "unit_map", "node")["xy"]
        assert xy.shape == (units, 2)
        assert len({tuple(p) for p in xy}) == units
    (whole,) = [v for v in atlas.visualizations("3", None) if v.variant == "model"]
    assert whole.data["together"] == ["1", "3"]
    assert whole.data["pictures"] == 30
    assert f"30 pictures of folder {folder.name}, then a grid." in whole.data["method"]
    xy = np.concatenate([atlas.arrays(n, None, "unit_map", "model")["xy"] for n in ("1", "3")])
    assert len({tuple(p) for p in xy}) == 29, "one map, nobody on top of another"


def test_profiles_are_the_largest_activations(model: Model, folder: Path) -> None:
    (job,) = UNIT_MAP.jobs(model, dataset=str(folder), variants=["node"])
    profiles = job.context.profiles(model, ["1"], lambda share: None).of(["1"])
    assert profiles.shape == (20, 30)
    for number in (0, 17):
        image = read_picture(folder / f"{number:02}.png", model.preprocessing)
        expected = model.run(image[None], ["1"])["1"].amax((2, 3))[0]
        assert np.allclose(profiles[:, number], expected.numpy(), atol=1e-5)


def test_alike_units_of_toytown_are_neighbours(tmp_path: Path) -> None:
    model = load("toytown")
    (job,) = UNIT_MAP.jobs(model, dataset="toytown:32", pictures=32, variants=["node"])
    told: list[tuple[int, int]] = []
    (found,) = UNIT_MAP.sweep(
        model, {"mixed4a": []}, job, tmp_path, lambda step, steps: told.append((step, steps))
    )
    assert found.arrays["xy"].shape == (152, 2)
    assert found.data["near"] > 2 * found.data["random"]
    assert found.data["trustworthiness"] > 0.75
    assert told[-1] == (110, 110)
    assert told == sorted(told)


def test_too_few_pictures_are_refused(model: Model, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pictures 3 is out of range"):
        UNIT_MAP.jobs(model, dataset=str(folder), pictures=3)
    with pytest.raises(NotFound, match="variant"):
        UNIT_MAP.jobs(model, dataset=str(folder), variants=["channel"])
    few = tmp_path / "few"
    few.mkdir()
    Image.new("RGB", (16, 16)).save(few / "a.png")
    with pytest.raises(BadInput, match="has 1 pictures that can be used"):
        render(model, tmp_path, technique=["unit_map"], dataset=str(few))
