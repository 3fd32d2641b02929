"""How long a render would take, and that asking changes nothing."""

from pathlib import Path

import pytest

import micrograph
from micrograph.atlas import Atlas
from micrograph.errors import NotFound
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
