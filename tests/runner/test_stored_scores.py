"""The score of a picture as it is stored: what plain hooks read on the decoded bytes."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from micrograph import Model, lenses, load
from micrograph.atlas import Atlas, Visualization
from micrograph.lenses.engines.base import BatchEngine
from micrograph.runner import render

NODE = "mixed4a"
SMALL = {"size": 48, "steps": 6}
QUALITY = 20
"""Low, so that compression changes scores beyond rounding."""


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def activations(model: Model, picture: np.ndarray, node: str = NODE) -> torch.Tensor:
    """[unit, y, x], by a plain hook."""
    found: list[torch.Tensor] = []
    module = model.module.get_submodule(node)
    handle = module.register_forward_hook(lambda _, given, out: found.append(out))
    with torch.no_grad():
        pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
        model.module(model.preprocessing.apply(pixels))  # `run` stops before a later hook
    handle.remove()
    return found[0][0]


def shown(atlas: Atlas, v: Visualization) -> np.ndarray:
    assert v.picture is not None
    kept = atlas.picture(v.picture.digest)
    assert kept is not None
    return np.asarray(Image.open(io.BytesIO(kept.data)).convert("RGB"))


def rendered(model, folder, unit: int | None, **options) -> list[tuple[Visualization, np.ndarray]]:
    given = SMALL if options.get("technique") != "caricature" else {"steps": SMALL["steps"]}
    render(model, folder, nodes=NODE, units=3, quality=QUALITY, **given, **options)
    with Atlas.open(folder / "toytown.atlas") as atlas:
        return [(v, shown(atlas, v)) for v in atlas.visualizations(NODE, unit)]


def test_a_channel_a_neuron_and_their_negatives(toytown, tmp_path):
    found = rendered(toytown, tmp_path, 3, variants=["channel", "neuron"])
    assert [v.variant for v, _ in found] == ["channel", "neuron"]
    for v, picture in found:
        values = activations(toytown, picture)[3]
        middle = values[values.shape[0] // 2, values.shape[1] // 2]
        reached = (values.mean() if v.variant == "channel" else middle).item()
        assert v.stored_score == pytest.approx(reached, rel=1e-4)
        assert v.stored_score != pytest.approx(v.score, rel=1e-3)


def test_a_mosaic_is_scored_by_its_best_part(toytown, tmp_path):
    ((v, picture),) = rendered(toytown, tmp_path, 3, technique="diversity", facets=4)
    parts = [half for row in np.split(picture, 2, 0) for half in np.split(row, 2, 1)]
    best = max(activations(toytown, part)[3].mean().item() for part in parts)
    assert v.stored_score == pytest.approx(best, rel=1e-4)


def test_two_units_together(toytown, tmp_path):
    ((v, picture),) = rendered(toytown, tmp_path, 3, technique="joint", partner=f"{NODE}:8")
    parts = np.split(picture, picture.shape[1] // SMALL["size"], 1)
    means = [activations(toytown, part)[[3, 8]].mean((1, 2)).tolist() for part in parts]
    middle = means[len(means) // 2]
    expected = min(middle[0] / max(means[0][0], 1e-6), middle[1] / max(means[-1][1], 1e-6))
    assert v.stored_score == pytest.approx(expected, rel=1e-3)


def test_a_whole_node(toytown, tmp_path):
    ((v, picture),) = rendered(toytown, tmp_path, None, technique="deepdream")
    reached = activations(toytown, picture).square().mean().item()
    assert v.stored_score == pytest.approx(reached, rel=1e-4)


def test_a_caricature_is_compared_with_its_source(toytown, tmp_path):
    ((v, picture),) = rendered(toytown, tmp_path, None, technique="caricature", images=["owl"])
    with Atlas.open(tmp_path / "toytown.atlas") as atlas:
        digest, number = v.data["source"]
        sample = atlas.samples(digest, [number])[number]
        source = atlas.picture(sample.picture.digest)
    assert source is not None
    (job,) = lenses.get("caricature").jobs(toytown, images=["owl"])
    pixels = (job.context.tensor()[0] * 255).round().byte().permute(1, 2, 0).numpy()
    a, b = (activations(toytown, one).flatten() for one in (picture, pixels))
    assert v.stored_score == pytest.approx(torch.cosine_similarity(a, b, dim=0).item(), abs=1e-4)


def test_nothing_is_lost_in_png(toytown, tmp_path):
    render(toytown, tmp_path, nodes=NODE, units=3, image_format="png", **SMALL)
    with Atlas.open(tmp_path / "toytown.atlas") as atlas:
        (v,) = atlas.visualizations(NODE, 3)
    assert v.stored_score == pytest.approx(v.score, rel=1e-6)


def test_results_without_a_picture_have_none(toytown, tmp_path):
    render(toytown, tmp_path, nodes="conv0", technique="similar")
    with Atlas.open(tmp_path / "toytown.atlas") as atlas:
        (v,) = atlas.visualizations("conv0", None)
    assert v.stored_score is None


def test_a_lens_whose_score_is_its_pictures_can_score_pictures():
    for name, one in lenses.lenses().items():
        engine = lenses.get(name)
        own = isinstance(engine, BatchEngine) and type(engine).score is not BatchEngine.score
        assert own == one.can.scores_picture, name
