"""Feature accentuation: it starts as the picture, grows the unit, and stays near."""

from pathlib import Path

import numpy as np
import pytest
import torch
from web_client import Client

from micrograph import load, render
from micrograph.atlas import Library
from micrograph.errors import BadInput, NotFound
from micrograph.lenses import get
from micrograph.lenses.accentuate.engine import FromPicture, accentuated, distances, half_way
from micrograph.lenses.accentuate.lens import AccentuateResult
from micrograph.lenses.engines.base import Job, Rendered, Sample
from micrograph.lenses.engines.source_pictures import source_pictures
from micrograph.models.model import Model
from micrograph.optimize import activations
from micrograph.web import create_app

LENS = get("accentuate")
NODE = "mixed4a"


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown", device="cpu")


def one(model: Model, units: list[int], **options) -> list[Rendered]:
    (job,) = LENS.jobs(model, images="owl", preset="draft", **options)
    sample, *found = LENS.run(model, NODE, units, job)
    assert isinstance(sample, Sample)
    return found


def test_it_starts_as_the_picture_and_the_source_goes_along(toytown: Model) -> None:
    source = source_pictures(["owl"], toytown)[0].tensor()[0]
    for size in (source.shape[-1], source.shape[-1] - 1):  # even and odd
        given = source[:, :size, :size].clamp(0.05, 0.95)
        start = FromPicture(given)
        images = start.image(start.start([np.random.default_rng(0)] * 2))
        assert images.shape == (2, 6, size, size)
        assert torch.allclose(images[:, :3], given.expand(2, -1, -1, -1), atol=1e-4)
        assert torch.equal(images[1, 3:], given)


def test_at_the_start_nothing_has_moved(toytown: Model) -> None:
    source = source_pictures(["owl"], toytown)[0].tensor()
    below = half_way(toytown, NODE)
    pair = torch.cat([source, source], 1)
    held, free = (
        accentuated(toytown, NODE, [3], below, source, strength) for strength in (7.0, 0.0)
    )
    seen = activations(toytown, held, source)
    assert torch.allclose(held.value(seen, pair), free.value(seen, pair), atol=1e-5)
    assert distances(toytown, below, source, source).item() == pytest.approx(0, abs=1e-6)
    grey = torch.full_like(source, 0.5)
    with torch.no_grad():
        a, b = toytown.run(torch.cat([grey, source]), [below])[below].flatten(1)
    expected = ((a - b).norm() / b.norm()).item()
    assert distances(toytown, below, grey, source).item() == pytest.approx(expected, rel=1e-4)
    far = held.value(activations(toytown, held, grey), torch.cat([grey, source], 1))
    near = free.value(activations(toytown, free, grey), torch.cat([grey, source], 1))
    assert (near - far).item() == pytest.approx(7 * expected**2, rel=1e-3)


def test_the_unit_grows_and_strength_holds_the_lower_node(toytown: Model) -> None:
    (free,), (held,) = (one(toytown, [3], steps=24, strength=s) for s in (0.0, 40.0))
    for made in (free, held):
        assert made.score > made.data["before"] > 0
    assert free.score > held.score
    assert free.data["moved"] > 2 * held.data["moved"] > 0
    assert held.data["below"] == half_way(toytown, NODE) == "conv2"


def test_units_do_not_depend_on_each_other(toytown: Model) -> None:
    alone, together = one(toytown, [7], steps=6), one(toytown, [3, 7], steps=6)
    assert [r.unit for r in together] == [3, 7]
    assert alone[0].data["before"] == pytest.approx(together[1].data["before"], rel=1e-4)
    assert alone[0].score == pytest.approx(together[1].score, rel=0.02)


def test_what_it_refuses(toytown: Model) -> None:
    def plan(**options) -> Job:
        return LENS.jobs(toytown, images="owl", **options)[0]

    with pytest.raises(BadInput, match="mixed5a is not below mixed4a"):
        LENS.batch_size(toytown, NODE, plan(below="mixed5a"))
    with pytest.raises(NotFound, match="nonsense"):
        plan(below="nonsense")
    with pytest.raises(BadInput, match="strength -1 is out of range"):
        plan(strength=-1)
    assert LENS.batch_size(toytown, NODE, plan(below="conv1")) > 0
    first = next(iter(toytown.nodes.values()))
    assert LENS.batch_size(toytown, first.id, plan()) == 0, "nothing lies below the first node"


def test_data_of_any_kind_is_read() -> None:
    made = AccentuateResult(before=0.5, below="conv2", moved=0.25, source=("ab" * 32, 0))
    assert AccentuateResult.from_json(made.to_json(), {}) == made
    odd = {"before": "high", "below": 3, "moved": float("nan"), "source": [1]}
    assert AccentuateResult.from_json(odd, {}) == AccentuateResult()


def test_its_part_of_a_units_page(toytown: Model, tmp_path: Path) -> None:
    render(
        toytown,
        tmp_path,
        technique="accentuate",
        nodes=NODE,
        units="3",
        images="owl",
        preset="draft",
        steps=4,
    )
    client = Client(create_app(Library([tmp_path])))
    twin = client.get("/models/toytown/mixed4a/3.json").json()
    (part,) = [p for p in twin["sections"] if p["technique"] == "accentuate"]
    (picture,) = part["pictures"]
    assert picture["source"]["name"] == "owl"
    assert picture["below"] == "conv2"
    assert picture["shot"]["score"] > picture["before"]
    page = client.get("/models/toytown/mixed4a/3").text
    assert 'id="accentuate"' in page
    assert "What in a given picture does it respond to?" in page
    assert picture["source"]["image"]["url"] in page
