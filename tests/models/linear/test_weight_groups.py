"""Groups of weights: planted ones are found, and factors are as good as scikit-learn's."""

import numpy as np
import pytest
import torch
from torch import nn

import micrograph
from micrograph import Model, Preprocessing
from micrograph.errors import MicrographError
from micrograph.models.linear.factors import nonnegative_factors


def planted(draws: torch.Generator) -> torch.Tensor:
    """[20, 30], two groups that share nothing."""
    matrix = torch.zeros(20, 30)
    for rows, columns in ((slice(0, 8), slice(0, 12)), (slice(8, 20), slice(12, 30))):
        shape = matrix[rows, columns].shape
        matrix[rows, columns] = torch.outer(
            torch.rand(shape[0], generator=draws) + 0.5, torch.rand(shape[1], generator=draws) + 0.5
        )
    return matrix


def test_planted_groups_are_found() -> None:
    matrix = planted(torch.Generator().manual_seed(0))
    net = nn.Sequential(nn.Conv2d(3, 30, 1), nn.ReLU(), nn.Conv2d(30, 20, 1))
    with torch.no_grad():
        inhibits = -torch.rand(20, 30, generator=torch.Generator().manual_seed(1))
        net[2].weight.copy_(torch.where(matrix > 0, matrix, inhibits)[..., None, None])
    model = Model.of(net, id="planted", preprocessing=Preprocessing(8, 8))
    found = micrograph.weights(model, "1", "2").groups(2)
    assert found.explained == pytest.approx(1.0, abs=1e-6)
    sides = [
        ({u for u, p in g.targets if p > 1e-4}, {u for u, p in g.sources if p > 1e-4})
        for g in found.groups
    ]
    assert sorted(sides, key=lambda side: len(side[0])) == [
        (set(range(8)), set(range(12))),
        (set(range(8, 20)), set(range(12, 30))),
    ]
    assert sum(group.share for group in found.groups) == pytest.approx(1.0)
    assert found == micrograph.weights(model, "1", "2").groups(2)
    assert found.to_json(3)["groups"][0]["targets"][0]["unit"] == found.groups[0].targets[0][0]


def test_factors_explain_as_much_as_scikit_learns() -> None:
    nmf = pytest.importorskip("sklearn.decomposition").NMF
    model = micrograph.load("toytown")
    matrix = micrograph.weights(model, "mixed4a", "mixed4b").kernels.clamp(min=0).sum((2, 3))
    rows, columns, explained = nonnegative_factors(matrix, 4)
    assert rows.min() >= 0
    assert columns.min() >= 0
    values = matrix.double().numpy()
    left = ((values - (rows @ columns).numpy()) ** 2).sum() / (values**2).sum()
    assert explained == pytest.approx(1 - left)
    other = nmf(4, init="nndsvda", max_iter=500)
    theirs = values - other.fit_transform(values) @ other.components_
    assert explained > 1 - (theirs**2).sum() / (values**2).sum() - 1e-3


def test_nothing_above_zero_has_no_groups() -> None:
    rows, columns, explained = nonnegative_factors(torch.zeros(4, 5), 2)
    assert (rows.shape, columns.shape, explained) == ((4, 0), (0, 5), 0.0)
    one = nonnegative_factors(torch.tensor([[2.0]]), 3)
    assert np.allclose(one[0] @ one[1], 2.0)
    with pytest.raises(MicrographError, match="expected a number from 1 to 32"):
        micrograph.weights(micrograph.load("toytown"), "mixed4a", "mixed4b", units=[0]).groups(0)
