"""Diversity, joint optimization and MaCo."""

import json

import numpy as np
import pytest
import torch

from micrograph import lenses as techniques
from micrograph.errors import BadInput, NotFound
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.optimize.diversity import likeness
from micrograph.recipe import digest
from micrograph.steps import Watch

NODE = "mixed4a"


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def means(model: Model, images: np.ndarray, node: str = NODE) -> torch.Tensor:
    """[picture, unit]"""
    shown = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2) / 255
    return model.run(shown, [node])[node].mean((2, 3))


def tiles(image: np.ndarray, columns: int, side: int) -> np.ndarray:
    rows = len(image) // side
    return np.stack(
        [
            image[y * side : (y + 1) * side, x * side : (x + 1) * side]
            for y in range(rows)
            for x in range(columns)
        ]
    )


def test_facets_differ_more_the_more_that_counts(toytown: Model) -> None:
    lens = techniques.get("diversity")
    alike = {}
    for weight in (0.0, 2.0):
        job = lens.jobs(toytown, steps=30, size=48, weight=weight)[0]
        (done,) = lens.run(toytown, NODE, [4], job)
        assert (done.data["columns"], done.data["rows"]) == (2, 2)
        facets = tiles(done.image, 2, 48)
        own = means(toytown, facets)[:, 4].tolist()
        assert done.data["scores"] == pytest.approx(own, rel=1e-3)
        assert done.score == max(done.data["scores"])
        shown = torch.from_numpy(facets).permute(0, 3, 1, 2) / 255
        alike[weight] = likeness(toytown.run(shown, [NODE])[NODE], 4).mean().item()
    assert alike[2.0] < alike[0.0] - 0.1


def test_facets_of_a_unit_do_not_depend_on_the_other_units(toytown: Model) -> None:
    lens = techniques.get("diversity")
    job = lens.jobs(toytown, steps=4, size=32, facets=6)[0]
    _, together = lens.run(toytown, NODE, [2, 4], job)
    (alone,) = lens.run(toytown, NODE, [4], job)
    assert alone.image.shape == (64, 96, 3)
    assert abs(alone.image.astype(int) - together.image).mean() < 1


def test_a_strip_goes_from_one_unit_to_the_other(toytown: Model) -> None:
    lens, plain = techniques.get("joint"), techniques.get("feature_vis")
    job = lens.jobs(toytown, partner="mixed4b:7", steps=25, size=48)[0]
    assert job.variant == "with-mixed4b-7"
    first, second = lens.run(toytown, NODE, [4, 9], job)
    alone = plain.jobs(toytown, steps=25, size=48)[0]
    ends = [
        next(plain.run(toytown, NODE, [9], alone)),
        next(plain.run(toytown, "mixed4b", [7], alone)),
    ]
    strip = tiles(second.image, 5, 48)
    for end, shown in zip(ends, (strip[0], strip[-1]), strict=True):
        assert abs(end.image.astype(int) - shown).mean() < 1, "the ends are feature visualizations"
    data = json.loads(json.dumps(second.data))
    assert data["partner"] == ["mixed4b", 7]
    assert data["weights"][1] == [0.75, 0.25]
    own = np.array(data["scores"])
    assert own[:, 0] == pytest.approx(means(toytown, strip)[:, 9].tolist(), rel=1e-2, abs=1e-2)
    assert own[:, 1] == pytest.approx(
        means(toytown, strip, "mixed4b")[:, 7].tolist(), rel=1e-2, abs=1e-2
    )
    assert own[0, 0] > own[-1, 0]
    assert own[-1, 1] > own[0, 1]
    assert second.score == pytest.approx(min(own[2, 0] / own[0, 0], own[2, 1] / own[-1, 1]))
    assert first.unit == 4


def test_a_partner_must_exist(toytown: Model) -> None:
    lens = techniques.get("joint")
    for partner in (None, "", "mixed4a", "mixed4a:x", ":3", "mixed4a:-1", 7):
        with pytest.raises(BadInput, match="NODE:UNIT"):
            lens.jobs(toytown, partner=partner)
    with pytest.raises(NotFound, match="did you mean"):
        lens.jobs(toytown, partner="mixed4x:3")
    with pytest.raises(NotFound, match="out of range"):
        lens.jobs(toytown, partner="mixed4a:100000")


def test_maco_drives_its_unit_and_says_where(toytown: Model) -> None:
    lens = techniques.get("maco")
    job = lens.jobs(toytown, preset="draft", steps=12, crops=3, size=96)[0]
    first, second = lens.run(toytown, NODE, [4, 9], job)
    for done in (first, second):
        assert done.image.shape == (96, 96, 3)
        assert done.arrays["alpha"].shape == (96, 96)
        assert done.arrays["alpha"].max() == 255
        own = means(toytown, done.image[None])[0, done.unit]
        assert done.score == pytest.approx(own.item(), rel=1e-2)
    crossed = means(toytown, np.stack([first.image, second.image]))
    assert crossed[0, 4] > crossed[1, 4]
    assert crossed[1, 9] > crossed[0, 9]


@pytest.mark.parametrize("name", ["feature_vis", "diversity", "joint", "maco"])
def test_a_lens_hands_its_pictures_out_while_it_makes_them(toytown: Model, name: str) -> None:
    lens, seen = techniques.get(name), []
    more = {"joint": {"partner": "mixed4a:1"}, "maco": {"crops": 2}}.get(name, {})
    job = lens.jobs(toytown, preset="draft", steps=3, size=32, **more)[0]
    (made,) = lens.run(
        toytown, NODE, [4], job, Watch(lambda s: seen.append((s.step / s.steps, s.pictures())))
    )
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(pictures.shape[1:] == (32, 32, 3) for _, pictures in seen)
    last = seen[-1][1]
    if name == "feature_vis":
        assert (last[0] == made.image).all()
    elif name == "diversity":
        assert (last == tiles(made.image, 2, 32)).all()
    elif name == "joint":  # between the two ends, which were made before
        assert (last == tiles(made.image, 5, 32)[1:4]).all()


def test_recipes_are_complete_and_all_different(toytown: Model) -> None:
    diversity, maco = techniques.get("diversity"), techniques.get("maco")
    jobs = [
        *diversity.jobs(toytown, repeats=2),
        *diversity.jobs(toytown, facets=9),
        *diversity.jobs(toytown, weight=3),
        *maco.jobs(toytown, repeats=2),
        *maco.jobs(toytown, crops=3),
        *maco.jobs(toytown, size=64),
        *techniques.get("joint").jobs(toytown, partner="mixed4a:1"),
        *techniques.get("joint").jobs(toytown, partner="mixed4a/2"),
    ]
    assert len({digest(job.recipe) for job in jobs}) == len(jobs)
    assert all(job.recipe["weights"] == toytown.digest for job in jobs)
    assert maco.jobs(toytown)[0].recipe["size"] == 224


@pytest.mark.parametrize(
    ("lens", "options"),
    [
        ("diversity", {"facets": 5}),
        ("diversity", {"weight": -1.0}),
        ("diversity", {"steps": 0}),
        ("maco", {"crops": 0}),
        ("maco", {"size": 3}),
        ("maco", {"steps": -1}),
        ("maco", {"seed": -1}),
    ],
)
def test_absurd_options(toytown: Model, lens: str, options: dict) -> None:
    with pytest.raises(BadInput, match="expected"):
        techniques.get(lens).jobs(toytown, **options)
