import numpy as np
import pytest
import torch

from micrograph import lenses as techniques
from micrograph.errors import BadInput, NotFound
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.recipe import digest

LENS = techniques.get("feature_vis")


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def values(model: Model, image: np.ndarray, pre_relu: bool = False) -> torch.Tensor:
    images = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    return model.run(images, ["mixed4a"], pre_relu=pre_relu)["mixed4a"][0]


def test_recipes_of_the_second_revision_are_what_they_were(toytown: Model) -> None:
    job = LENS.jobs(toytown, size=96, steps=80)[0]
    recipe = {**job.recipe, "weights": "w", "precision": "bf16"}
    assert digest(recipe) == digest(
        {
            "technique": "feature_vis",
            "objective": "channel",
            "negative": False,
            "seed": 0,
            "model": "toytown",
            "weights": "w",
            "code": "feature_vis/2",
            "parameterization": "fourier",
            "size": 96,
            "steps": 80,
            "rate": 0.1,
            "momentum": 0.3,
            "settle": 0.25,
            "start": 0.3,
            "redirect_steps": 16,
            "transforms": {
                "jitters": [8, 4],
                "scales": [0.9, 1.1, 0.02],
                "degrees": 10,
                "unrotated": 5,
            },
            "precision": "bf16",
        }
    )


@pytest.mark.parametrize("variant", ["channel", "channel-negative"])
def test_company_is_the_units_of_largest_mean(toytown: Model, variant: str) -> None:
    job = LENS.jobs(toytown, steps=3, size=48, variants=[variant])[0]
    for done in LENS.run(toytown, "mixed4a", [4, 9], job):
        means = values(toytown, done.image).flatten(1).mean(1).numpy()
        company = done.data["company"]
        assert len(company) == 16
        found = [value for _, value in company]
        assert found == sorted(found, reverse=True)
        assert found == pytest.approx(sorted(means, reverse=True)[:16], rel=1e-3)
        assert found == pytest.approx([means[unit] for unit, _ in company], rel=1e-3)


def test_any_position_can_be_driven(toytown: Model) -> None:
    job = LENS.jobs(toytown, preset="draft", steps=40, variants=["neuron-at-2-9"])[0]
    assert (job.variant, job.recipe["at"]) == ("neuron-at-2-9", [2, 9])
    done = next(LENS.run(toytown, "mixed4a", [4], job))
    here = values(toytown, done.image)[4]
    assert done.score == pytest.approx(here[2, 9].item(), rel=1e-3)
    assert here.argmax().item() == 2 * 12 + 9, "nothing else was driven"


def test_positions_outside_the_map_are_refused(toytown: Model) -> None:
    job = LENS.jobs(toytown, steps=2, variants=["neuron-at-3-12"])[0]
    with pytest.raises(BadInput, match=r"position 3-12 .* at most 11-11"):
        LENS.batch_size(toytown, "mixed4a", job)
    with pytest.raises(BadInput, match=r"position 3-12 .* at most 11-11"):
        list(LENS.run(toytown, "mixed4a", [4], job))
    with pytest.raises(NotFound, match="neuron-at-Y-X"):
        LENS.jobs(toytown, variants=["neuron-at-Y-X"])


def test_transparency_lies_beside_a_picture_over_grey(toytown: Model) -> None:
    job = LENS.jobs(toytown, size=64, variants=["alpha"])[0]
    done = next(LENS.run(toytown, "mixed4a", [4], job))
    alpha = done.arrays["alpha"]
    assert (alpha.dtype, alpha.shape, done.image.shape) == (np.uint8, (64, 64), (64, 64, 3))
    assert 5 < alpha.mean() < 200, "something is there, and not everything"
    clear = done.image[alpha < 3]
    assert len(clear)
    assert abs(clear.astype(int) - 127.5).max() <= 3
    assert done.score == pytest.approx(values(toytown, done.image)[4].mean().item(), rel=1e-3)
