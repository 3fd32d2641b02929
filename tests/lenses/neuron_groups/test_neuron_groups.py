"""Neuron groups against planted groups and scikit-learn's own reconstruction."""

import builtins

import numpy as np
import pytest
from sklearn.decomposition import NMF

from micrograph import lenses as techniques
from micrograph.errors import BadInput, Unavailable
from micrograph.lenses.neuron_groups.engine import factor
from micrograph.models import load
from micrograph.models.model import Model

LENS = techniques.get("neuron_groups")


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def planted(signed: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three groups in separate places: maps [3, 6, 6], vectors [3, 20], values [20, 6, 6]."""
    rng = np.random.default_rng(0)
    maps = np.zeros((3, 6, 6))
    for k in range(3):
        maps[k, 2 * k : 2 * k + 2] = rng.uniform(0.2, 1, (2, 6))
    vectors = rng.uniform(0, 1, (3, 20)) * (rng.random((3, 20)) < 0.4)
    if signed:
        vectors *= rng.choice([-1, 1], vectors.shape)
    return maps, vectors, np.einsum("kyx,ku->uyx", maps, vectors).astype("f4")


@pytest.mark.parametrize("signed", [False, True])
def test_planted_groups_are_found(signed: bool) -> None:
    maps, vectors, values = planted(signed)
    groups, explained = factor(values, 3, seed=0)
    assert explained > 0.999
    assert sum(g.strength for g in groups) == pytest.approx(1)
    assert [g.strength for g in groups] == sorted((g.strength for g in groups), reverse=True)
    for k in range(3):
        peak = maps[k].max()
        best = max(groups, key=lambda g: float((g.map * maps[k]).sum()))
        assert np.allclose(best.map, maps[k] / peak, atol=0.05)
        assert np.allclose(best.direction, vectors[k] * peak, atol=0.05)


def test_it_is_what_scikit_learn_reconstructs() -> None:
    values = np.abs(np.random.default_rng(1).normal(size=(30, 7, 5))).astype("f4")
    groups, explained = factor(values, 4, seed=2)
    own = np.einsum(
        "kyx,ku->uyx", np.stack([g.map for g in groups]), np.stack([g.direction for g in groups])
    )
    flat = values.reshape(30, -1).T.astype(float)
    nmf = NMF(4, init="nndsvda", random_state=2, max_iter=500)
    theirs = nmf.fit_transform(flat) @ nmf.components_
    assert np.allclose(own.reshape(30, -1).T, theirs, atol=1e-4)
    assert explained == pytest.approx(1 - ((flat - theirs) ** 2).sum() / (flat**2).sum())


def test_nothing_and_little_have_fewer_groups() -> None:
    assert factor(np.zeros((5, 4, 4), "f4"), 3, 0) == ([], 0.0)
    groups, explained = factor(np.full((5, 4, 4), np.nan, "f4"), 3, 0)
    assert groups == []
    assert not np.isfinite(explained)
    only = np.zeros((5, 4, 4), "f4")
    only[2, 1, 1] = 3
    groups, explained = factor(only, 3, 0)
    assert explained == pytest.approx(1)
    assert groups[0].strength == pytest.approx(1)
    groups, _ = factor(np.array([1.0, -2.0, 0.0], "f4"), 6, 0)
    assert len(groups) == 1
    assert np.allclose(groups[0].direction, [1, -2, 0], atol=1e-4)


def test_a_picture_of_every_group(toytown: Model) -> None:
    job = LENS.jobs(toytown, images=["owl"], groups=3, steps=3, size=32)[0]
    sample, done = LENS.run(toytown, "mixed5b", [], job)
    assert sample.image.shape == (96, 96, 3)
    assert done.image.shape == (32, 96, 3)
    assert done.data["columns"] == 3
    assert done.data["source"] == [sample.source.digest, 0]
    for group in done.data["groups"]:
        assert np.max(group["map"]) == 1
        assert np.shape(group["map"]) == (6, 6)
        assert len(group["units"]) == 8
    assert done.score > 0.3
    _, again = LENS.run(toytown, "mixed5b", [], job)
    assert again.data == done.data
    assert np.array_equal(again.image, done.image)


def test_a_flat_node_is_one_group(toytown: Model) -> None:
    job = LENS.jobs(toytown, images=["owl"], steps=1, size=32)[0]
    _, done = LENS.run(toytown, "logits", [], job)
    assert done.data["columns"] == 1
    assert done.data["groups"][0]["map"] == [[1.0]]
    assert toytown.labels[done.data["groups"][0]["units"][0][0]] == "owl"


def test_without_scikit_learn_it_says_how_to_get_it(toytown: Model, monkeypatch) -> None:
    plain = builtins.__import__

    def without(name: str, *rest, **more):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return plain(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Unavailable, match=r"pip install 'micrograph\[lenses\]' torch=="):
        LENS.jobs(toytown, images=["owl"])


@pytest.mark.parametrize(
    "options", [{"groups": 0}, {"groups": 99}, {"seed": -1}, {"steps": 0}, {"cosine_power": -1}]
)
def test_absurd_options_are_refused(toytown: Model, options: dict) -> None:
    with pytest.raises(BadInput):
        LENS.jobs(toytown, images=["owl"], **options)
