"""The path from units to texts against closed forms, and the lens on the shipped pair."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph import lenses as techniques
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.text_feature_vis.text_path import directions
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.organisms.toytown_clip.network import MeanAttentionPool
from micrograph.recipe import digest

LENS = techniques.get("text_feature_vis")
PLAIN = Preprocessing(size=16, resize=16, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
QUICK = {"steps": 3, "proposals": 6, "restarts": 2, "inputs": 2}


class Net(nn.Module):
    """Two convolutions, with a ReLU between them or not, under attention pooling."""

    def __init__(self, relu: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.last = nn.Conv2d(6, 8, 1)
        self.pool = MeanAttentionPool(8, 4, 2)
        self.out = nn.Linear(4, 5)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.out(self.pool(self.last(F.relu(x) if self.relu else x)))


def _model(relu: bool) -> Model:
    torch.manual_seed(0)
    return Model.of(Net(relu), id="net", preprocessing=PLAIN)


@pytest.fixture(scope="module")
def pair() -> Model:
    return load("toytown_clip")


def test_behind_the_last_node_the_path_is_value_times_output(pair: Model) -> None:
    torch.manual_seed(0)
    found = directions(pair, "mixed5b", torch.rand(3, 3, 64, 64))
    closed = pair.module.embedding.weight @ pair.module.pooled.value.weight
    torch.testing.assert_close(found, closed.T, rtol=1e-3, atol=1e-4)


def test_a_linear_path_is_the_product_of_its_weights() -> None:
    model = _model(relu=False)
    net = model.module
    found = directions(model, "first", torch.rand(19, 3, 16, 16))  # more than one chunk
    closed = net.out.weight @ net.pool.value.weight @ net.last.weight[:, :, 0, 0]
    torch.testing.assert_close(found, closed.T, rtol=1e-4, atol=1e-5)
    own = directions(model, "out", torch.rand(2, 3, 16, 16))
    torch.testing.assert_close(own, torch.eye(5))


def test_a_picture_counts_as_much_as_it_excites_the_unit() -> None:
    model = _model(relu=True)
    images = torch.rand(3, 3, 16, 16)
    each = torch.stack([directions(model, "first", image[None]) for image in images])
    means = model.run(images, ["first"])["first"].mean((2, 3)).clamp_min(0) + 1e-6
    expected = (each * (means / means.sum(0))[:, :, None]).sum(0)
    torch.testing.assert_close(directions(model, "first", images), expected, rtol=1e-4, atol=1e-6)


def test_the_path_leaves_the_model_as_it_was(pair: Model) -> None:
    directions(pair, "mixed5b", torch.rand(1, 3, 64, 64))
    assert all(p.grad is None and not p.requires_grad for p in pair.module.parameters())
    assert all(not m._forward_hooks for m in pair.module.modules())


def test_ranking_is_that_of_brute_force(pair: Model) -> None:
    job = LENS.jobs(pair, **QUICK)[0]
    done = {r.unit: r for r in LENS.run(pair, "mixed5b", [3, 70], job)}
    closed = F.normalize((pair.module.embedding.weight @ pair.module.pooled.value.weight).T, dim=1)
    words = pair.text.words
    vectors = torch.cat([pair.text.embed([word]) for word in words])
    for unit, result in done.items():
        cosines = (vectors @ closed[unit]).tolist()
        ranked = sorted(zip(cosines, words, strict=True), reverse=True)
        listed = result.data["tokens"]
        assert [round(c, 2) for c, _ in ranked[: len(listed)]] == pytest.approx(
            [c for c, _ in listed], abs=0.011
        )
        assert listed[0][1] in {word for _, word in ranked[:2]}
        assert result.data["least"][0][1] in {word for _, word in ranked[-2:]}
        assert result.data["all_tokens"]["count"] == len(words)
        assert result.data["all_tokens"]["mean"] == pytest.approx(np.mean(cosines), abs=2e-3)


def test_results_are_whole_and_do_not_depend_on_the_batch(pair: Model) -> None:
    job = LENS.jobs(pair, **QUICK)[0]
    first, second = LENS.run(pair, "embedding", [5, 9], job)
    (alone,) = LENS.run(pair, "embedding", [9], LENS.jobs(pair, **QUICK)[0])
    assert alone.data == second.data
    assert first.data != second.data
    assert first.image is None
    (score, text), *_ = texts = first.data["texts"]
    assert first.score == pytest.approx(score, abs=1e-4)
    assert texts == sorted(texts, reverse=True)
    assert float(pair.text.embed([text])[0, 5]) == pytest.approx(score, abs=1e-3)
    json.dumps(dict(first.data))


def test_recipes_are_complete(pair: Model) -> None:
    recipes = [
        LENS.jobs(pair, **options)[0].recipe
        for options in (
            {},
            {"steps": 9},
            {"proposals": 9},
            {"restarts": 9},
            {"length": 9},
            {"penalty": 0},
            {"inputs": 9},
            {"seed": 9},
            {"images": ["chelsea"]},
        )
    ]
    assert len({digest(recipe) for recipe in recipes}) == len(recipes)
    assert recipes[0]["penalty"] == 0.005
    assert {"technique", "model", "weights", "code", "seed"} <= set(recipes[0])


def test_given_pictures_are_those_of_the_path(pair: Model) -> None:
    job = LENS.jobs(pair, images=["chelsea", "coffee"])[0]
    assert job.context.pictures.shape == (2, 3, 96, 96)
    (one,) = LENS.run(pair, "mixed4c", [0], LENS.jobs(pair, images=["chelsea"], **QUICK)[0])
    (other,) = LENS.run(pair, "mixed4c", [0], LENS.jobs(pair, images=["coffee"], **QUICK)[0])
    assert one.data["tokens"] != other.data["tokens"], "the path depends on them, inside"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"length": 21}, "length"),
        ({"penalty": -1}, "penalty"),
        ({"penalty": float("nan")}, "penalty"),
        ({"restarts": "many"}, "restarts"),
        ({"inputs": 0}, "inputs"),
        ({"seed": -1}, "seed"),
        ({"variants": ["channel"]}, "search"),
    ],
)
def test_absurd_options_are_refused(pair: Model, options, message) -> None:
    with pytest.raises((BadInput, NotFound), match=message):
        LENS.jobs(pair, **options)


def test_models_without_texts_and_towers_without_language_model() -> None:
    with pytest.raises(BadInput, match=r"toytown has no text tower.*try toytown_clip"):
        LENS.jobs(load("toytown"))

    class Mute:
        words = ("a", "b")
        limit = 4

        def surprise(self, text: str) -> None:
            return None

    mute = Model.of(Net(True), id="net", preprocessing=PLAIN, text=lambda module: Mute())
    assert LENS.jobs(mute, length=4)[0].recipe["penalty"] == 0
    with pytest.raises(BadInput, match="has no language model"):
        LENS.jobs(mute, length=4, penalty=0.1)


def test_unknown_pictures_are_not_found(pair: Model) -> None:
    with pytest.raises(NotFound):
        LENS.jobs(pair, images=["no such picture"])
