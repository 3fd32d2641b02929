"""How long a render would take, and that asking changes nothing."""

from pathlib import Path

import numpy as np
import pytest

import micrograph
from micrograph import optimize as opt
from micrograph.atlas import Atlas
from micrograph.atlas.encode import encode
from micrograph.errors import BadInput, NotFound
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.runner import Estimate, estimate, render
from micrograph.runner.estimating import BYTES_PER_PIXEL, BYTES_PER_RESULT

SMALL = {"size": 32, "steps": 8}


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def test_it_counts_what_a_render_would_make_and_writes_nothing(
    toytown: Model, tmp_path: Path
) -> None:
    found = estimate(toytown, tmp_path, nodes=["conv0", "conv1"], units="0-3", **SMALL)
    assert (found.results, found.there) == (8, 0)
    assert found.bytes == round(8 * (BYTES_PER_RESULT + BYTES_PER_PIXEL * 32 * 32))
    assert list(tmp_path.iterdir()) == []
    render(toytown, tmp_path, nodes="conv0", units="0-3", **SMALL)
    before = (tmp_path / "toytown.atlas").read_bytes()
    found = estimate(toytown, tmp_path, nodes=["conv0", "conv1"], units="0-3", **SMALL)
    assert (found.results, found.there) == (4, 4)
    assert (tmp_path / "toytown.atlas").read_bytes() == before
    done = estimate(toytown, tmp_path, nodes="conv0", units="0-3", **SMALL)
    assert str(done) == "nothing to do: 4 results are there already"
    assert micrograph.estimate is estimate


def test_more_steps_take_longer(toytown: Model, tmp_path: Path) -> None:
    short, long = (
        estimate(toytown, tmp_path, nodes="conv1", units="0-3", size=32, steps=steps)
        for steps in (8, 800)
    )
    assert long.seconds > 10 * short.seconds
    assert short.steps == long.steps == 3


def test_a_sweep_is_measured_too_and_leaves_nothing(toytown: Model, tmp_path: Path) -> None:
    found = estimate(toytown, tmp_path, technique="similar", nodes="conv0", units="0-3")
    assert found.results == 1, "one of the node as a whole"
    assert found.bytes == 0
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_rendered_cannot_be_estimated(toytown: Model, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        estimate(toytown, tmp_path, nodes="nowhere")


def test_an_atlas_says_what_it_lacks(toytown: Model, tmp_path: Path) -> None:
    path = render(toytown, tmp_path, nodes="conv0", units="1,3", **SMALL).path
    with Atlas.open(path) as atlas:
        (one,) = atlas.visualizations("conv0", 1)
        assert atlas.missing("conv0", [0, 1, 2, 3, None], one.recipe) == [0, 2, None]
        assert atlas.missing("conv0", [1], {**one.recipe, "seed": 5}) == [1]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Estimate(512, 0, 361, 9_100_000, 12), "512 results, about 6 min, 9.1 MB of pictures; "),
        (Estimate(1, 3, 4, 40_000, 1), "1 result (3 are there already), about 4 s, 40 kB"),
        (Estimate(7, 0, 4000, 0, 3), "7 results, about 67 min; from 3 steps measured on this"),
    ],
)
def test_words(given: Estimate, words: str) -> None:
    assert str(given).startswith(words)


@pytest.mark.parametrize(
    ("image_format", "quality"),
    [("avif", None), ("avif", 20), ("avif", 90), ("webp", 60), ("webp", None), ("png", None)],
)
def test_the_size_goes_by_format_and_quality(
    toytown: Model, made: np.ndarray, tmp_path: Path, image_format: str, quality: int | None
) -> None:
    kept = {"image_format": image_format, "quality": quality}
    found = estimate(toytown, tmp_path, nodes="mixed4a", units="20-23", size=96, steps=1, **kept)
    stored = sum(len(encode(one, image_format, quality).data) for one in made)
    assert 0.5 < (found.bytes - 4 * BYTES_PER_RESULT) / stored < 1.6


@pytest.fixture(scope="module")
def made(toytown: Model) -> np.ndarray:
    """Four pictures, none of those that the numbers were measured on."""
    units = [20, 21, 22, 23]
    settings = opt.Settings(size=96, steps=30)
    objective = opt.channel("mixed4a", units)
    return opt.optimize(toytown, objective, settings, seeds=[(0, u) for u in units]).as_uint8()


def test_a_quality_that_there_is_not_is_refused(toytown: Model, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="image quality 300"):
        estimate(toytown, tmp_path, nodes="conv0", quality=300)
