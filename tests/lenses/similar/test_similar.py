"""Similar units by weights: brute force, and planted duplicates."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from micrograph import Model, Preprocessing, load
from micrograph.atlas import Atlas
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.similar.engine import ENGINE as SIMILAR
from micrograph.lenses.similar.engine import nearest_of
from micrograph.models.connections import WeightsPart
from micrograph.runner import render


def planted() -> Model:
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 20, 3), nn.Conv2d(20, 6, 3)
    with torch.no_grad():
        first.weight[13] = 3 * first.weight[4]  # the same filter, louder
        first.weight[7] = 0
        second.weight[:, 9] = second.weight[:, 2] * 0.5  # used alike
    module = nn.Sequential(first, nn.ReLU(), second, nn.MaxPool2d(2))
    return Model.of(module, id="planted", preprocessing=Preprocessing(16, 16))


def brute(weights: np.ndarray, unit: int) -> list[int]:
    """Other units of `weights` [unit, any], most similar first, one pair at a time."""
    a = weights[unit].astype(np.float64)
    scored = [
        (-float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b)), other)
        for other, b in enumerate(weights.astype(np.float64))
        if other != unit
    ]
    return [other for _, other in sorted(scored)]


def test_equals_brute_force() -> None:
    weights = torch.randn(40, 27, generator=torch.Generator().manual_seed(3))
    near, cosine = nearest_of([WeightsPart(0, weights)], 40, 8)
    for unit in range(40):
        assert near[unit].tolist() == brute(weights.numpy(), unit)[:8]
    a, b = weights[5], weights[near[5, 0]]
    assert cosine[5, 0] == pytest.approx(float(torch.cosine_similarity(a, b, dim=0)), abs=1e-5)


def test_parts_keep_to_themselves_and_short_ones_are_filled_up() -> None:
    draw = torch.Generator().manual_seed(0)
    small, large = torch.randn(3, 5, generator=draw), torch.randn(30, 7, generator=draw)
    near, cosine = nearest_of([WeightsPart(0, small), WeightsPart(3, large)], 33, 4)
    assert set(near[0]) == {1, 2, -1}
    assert (near[0, 2:] == -1).all()
    assert (cosine[0, 2:] == 0).all()
    assert (near[3:] >= 3).all()


def test_planted_duplicates_are_found_and_stored(tmp_path: Path) -> None:
    model = planted()
    render(
        model,
        tmp_path,
        technique=["similar"],
        nodes=["0", "2", "3"],
        variants=["weights", "outgoing"],
    )
    atlas = Atlas.open(tmp_path / "planted.atlas")
    by_weights = atlas.arrays("0", None, "similar", "weights")
    assert by_weights["near"].shape == (20, 16)
    assert (by_weights["near"][13, 0], by_weights["near"][4, 0]) == (4, 13)
    assert by_weights["cosine"][13, 0] == 1
    assert (by_weights["near"][7] == -1).all(), "a unit without weights is like none"
    assert not (by_weights["near"] == 7).any()
    by_use = atlas.arrays("0", None, "similar", "outgoing")
    assert (by_use["near"][9, 0], by_use["near"][2, 0]) == (2, 9)
    # Nothing to compare: said, and stored, so that it is not asked again.
    (pool,) = atlas.visualizations("3", None, "similar")[1:]
    assert pool.data["reason"].startswith("3 (pool) is not the output")
    assert not atlas.arrays("3", None, "similar", "weights")
    again = render(model, tmp_path, technique=["similar"], nodes=["0", "2", "3"])
    assert (again.rendered, again.there) == (0, 3)


def test_toytown_has_neighbours_for_every_unit(tmp_path: Path) -> None:
    model = load("toytown")
    (job,) = SIMILAR.jobs(model, nearest=5)
    (mixed,) = SIMILAR.sweep(model, {"mixed4a": []}, job, tmp_path)
    near = mixed.arrays["near"]
    assert near.dtype == np.int32
    assert near.shape == (152, 5)
    branch = np.digitize(np.arange(152), [40, 112, 132])
    assert (branch[near] == branch[:, None]).all()
    weights = model.module.get_parameter("mixed4a.3x3.weight").flatten(1).numpy()
    assert (near[40 + 8] - 40).tolist() == brute(weights, 8)[:5]
    assert mixed.score == pytest.approx(mixed.arrays["cosine"][:, 0].mean(), abs=1e-2)


def test_senseless_options_are_refused() -> None:
    model = planted()
    with pytest.raises(BadInput, match="nearest 0"):
        SIMILAR.jobs(model, nearest=0)
    with pytest.raises(NotFound, match="variant"):
        SIMILAR.jobs(model, variants=["looks"])
