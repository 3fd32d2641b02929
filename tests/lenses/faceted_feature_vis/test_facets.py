"""Probes and the nodes they are for, against scikit-learn and hand-made files."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from micrograph.errors import BadInput, NotFound
from micrograph.lenses.faceted_feature_vis import facets
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.organisms.toytown_clip.measure import area_under_curve


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def test_discriminant_is_that_of_scikit_learn(monkeypatch) -> None:
    monkeypatch.setattr(facets, "RIDGE", 0.0)
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((7, 7))
    means = rng.standard_normal((200, 7)) @ mixing
    true = rng.random(200) < 0.3
    means[true] += rng.standard_normal(7)
    found = facets.discriminant(torch.from_numpy(means), torch.from_numpy(true))
    expected = LinearDiscriminantAnalysis(solver="lsqr").fit(means, true).coef_[0]
    assert float(found.abs().max()) == pytest.approx(1)
    np.testing.assert_allclose(found, expected / np.abs(expected).max(), rtol=1e-4, atol=1e-5)


def test_discriminant_bears_constant_units_and_wants_two_of_each() -> None:
    means = torch.zeros(6, 3)
    means[:3, 1] = torch.tensor([1.0, 1.1, 0.9])
    true = torch.tensor([True] * 3 + [False] * 3)
    assert facets.discriminant(means, true).tolist() == [0, 1, 0]
    with pytest.raises(BadInput, match="1 of 6 scenes show the theme"):
        facets.discriminant(means, torch.tensor([True] + [False] * 5))


def test_area_under_curve_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    scores, true = rng.integers(0, 9, 80) / 8.0, rng.random(80) < 0.4
    found = area_under_curve(torch.from_numpy(scores), torch.from_numpy(true))
    assert found == pytest.approx(roc_auc_score(true, scores))
    assert area_under_curve(torch.ones(3), torch.zeros(3, dtype=torch.bool)) == 0.5


def test_nodes_below_are_those_that_everything_passes(toytown: Model) -> None:
    assert facets.dominators_with_maps(toytown, "mixed5a", 3) == ["mixed4a", "mixed4b", "mixed4c"]
    assert facets.dominators_with_maps(toytown, "mixed3b_3x3", 3) == [
        "conv2",
        "mixed3a",
        "mixed3b_3x3_reduce",
    ]
    assert facets.dominators_with_maps(toytown, "conv2", 9) == ["conv0", "conv1"]
    assert facets.dominators_with_maps(toytown, "conv0", 9) == []
    assert facets.dominators_with_maps(toytown, "logits", 1) == ["mixed5b"]


def test_probes_tell_their_themes(toytown: Model) -> None:
    plan = facets.ScenePlan(toytown, 120)
    for theme in ("vehicle", "animal", "plant"):
        (probe, area), (_, lower) = plan.probes(theme, ["mixed4c", "conv2"]).values()
        assert probe.shape == (toytown.node("mixed4c").units,)
        assert area > 0.9
        assert area > lower
    again = facets.ScenePlan(toytown, 120).probes("plant", ["mixed4c"])["mixed4c"]
    torch.testing.assert_close(again[0], probe)


def test_every_theme_occurs_and_unknown_ones_are_told_apart(toytown: Model) -> None:
    plan = facets.ScenePlan(toytown, 120)
    for theme in facets.THEMES:
        ((probe, _),) = plan.probes(theme, ["conv1"]).values()
        assert bool(probe.isfinite().all())
    with pytest.raises(NotFound, match="did you mean 'vehicle'"):
        facets.check_theme("vehicles", "faceted_feature_vis")


def test_a_file_of_own_probes(toytown: Model, tmp_path) -> None:
    path = tmp_path / "eyes.safetensors"
    probe = torch.randn(toytown.node("mixed4a").units)
    save_file({"4a": probe.half()}, path)
    own = facets.ProbeFile(toytown, path)
    assert (own.theme, own.nodes()) == ("eyes", ["mixed4a"])
    found, area = own.probes("eyes", ["mixed3b", "mixed4a"])["mixed4a"]
    torch.testing.assert_close(found, probe.half().float())
    assert area is None


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"mixed4a": torch.ones(3)}, r"mixed4a has shape \[3\]; expected finite \[152\]"),
        ({"mixed4a": torch.full((152,), float("nan"))}, "expected finite"),
        ({}, "holds no tensors"),
    ],
)
def test_other_files_are_refused(toytown: Model, tmp_path, tensors, message) -> None:
    path = tmp_path / "theme.safetensors"
    save_file(tensors, path)
    with pytest.raises(BadInput, match=message):
        facets.ProbeFile(toytown, path)


def test_no_file_no_safetensors_no_such_node(toytown: Model, tmp_path) -> None:
    with pytest.raises(BadInput, match="there is no file"):
        facets.ProbeFile(toytown, tmp_path / "none.safetensors")
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"not a weights file")
    with pytest.raises(BadInput):
        facets.ProbeFile(toytown, junk)
    save_file({"mixed9z": torch.ones(3)}, junk)
    with pytest.raises(NotFound):
        facets.ProbeFile(toytown, junk)
