from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from micrograph import lenses as techniques
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.engines.base import Rendered, Sample
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.pictures import shipped

DREAM, CARICATURE = techniques.get("deepdream"), techniques.get("caricature")


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def seen(model: Model, node: str, image: np.ndarray) -> torch.Tensor:
    return model.run(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255, [node])[node]


def test_a_dream_beats_photographs_and_its_score_is_its_energy(toytown: Model) -> None:
    job = DREAM.jobs(toytown, steps=32)[0]
    (done,) = DREAM.run(toytown, "mixed3a", [], job)
    assert (done.node, done.unit, done.image.shape) == ("mixed3a", None, (96, 96, 3))
    assert done.score == pytest.approx(
        seen(toytown, "mixed3a", done.image).square().mean().item(), rel=1e-3
    )
    for picture in CARICATURE.jobs(toytown):
        shown = seen(toytown, "mixed3a", picture.context.image).square().mean()
        assert done.score > 2 * shown


def test_a_caricature_resembles_its_own_picture_most(toytown: Model) -> None:
    names = ["owl", "car", "castle"]
    jobs = CARICATURE.jobs(toytown, images=names, steps=25)
    assert [job.variant for job in jobs] == names
    sources = {job.variant: seen(toytown, "mixed4a", job.context.image) for job in jobs}
    for job in jobs[:2]:
        sample, done = CARICATURE.run(toytown, "mixed4a", [], job)
        assert isinstance(sample, Sample)
        assert isinstance(done, Rendered)
        assert done.data == {"source": [sample.source.digest, sample.number]}
        assert job.recipe["source"] == sample.source.digest
        own = seen(toytown, "mixed4a", done.image).flatten()
        likeness = {
            name: torch.cosine_similarity(own, source.flatten(), dim=0).item()
            for name, source in sources.items()
        }
        assert done.score == pytest.approx(likeness[job.variant], abs=1e-3)
        assert max(likeness, key=likeness.__getitem__) == job.variant


def test_all_pictures_that_ship_by_default_or_any_of_ones_own(
    toytown: Model, tmp_path: Path
) -> None:
    assert [job.variant for job in CARICATURE.jobs(toytown)] == list(shipped())
    own = tmp_path / "mine.png"
    Image.new("RGB", (120, 100), (200, 10, 10)).save(own)
    job = CARICATURE.jobs(toytown, images=[str(own)])[0]
    assert job.variant == "mine"
    Image.new("RGB", (120, 100), (10, 200, 10)).save(own)
    again = CARICATURE.jobs(toytown, images=[str(own)])[0]
    assert again.recipe["source"] != job.recipe["source"], "another picture under the same name"


def test_bad_options(toytown: Model, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="owl"):
        CARICATURE.jobs(toytown, images=["howl"])
    with pytest.raises(BadInput, match="expected"):
        CARICATURE.jobs(toytown, cosine_power=-1)
    with pytest.raises(BadInput, match="expected"):
        DREAM.jobs(toytown, repeats=0)
    with pytest.raises(NotFound, match="node"):
        DREAM.jobs(toytown, variants=["nodes"])
