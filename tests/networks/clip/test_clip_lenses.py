"""The lenses that need texts, or attention, on a small CLIP with random weights."""

from dataclasses import replace

import pytest
import torch
from small_clip import shaken, tokenizer

from micrograph.errors import BadInput
from micrograph.lenses.faceted_feature_vis.engine import ENGINE as FACETED_FEATURE_VIS
from micrograph.lenses.feature_vis.engine import ENGINE as FEATURE_VIS
from micrograph.lenses.text_feature_vis.engine import ENGINE as TEXT_FEATURE_VIS
from micrograph.lenses.text_feature_vis.text_path import directions
from micrograph.models.model import Model
from micrograph.networks.clip.tower import ClipTower


@pytest.fixture(scope="module")
def model() -> Model:
    made = shaken()
    words = ("the", "cat", "dog", "cat dog", "xyz")
    card = replace(made.card, text=lambda module: ClipTower(module.text, tokenizer(), words))
    return Model(card, made.module, "small")


def test_units_of_the_embedding_are_directions_themselves(model):
    (job,) = TEXT_FEATURE_VIS.jobs(model, inputs=2, steps=2, proposals=4, restarts=2, length=3)
    vectors = model.text.embed(model.text.words)
    for found in TEXT_FEATURE_VIS.run(model, "embedding", [0, 7], job):
        best = int(vectors[:, found.unit].argmax())
        score, word = found.data["tokens"][0]
        assert word == model.text.words[best]
        assert score == pytest.approx(float(vectors[best, found.unit]), abs=1e-4)
        assert found.score >= score - 1e-4  # a text is at least as good as the best word


def test_units_of_the_last_block_point_where_the_projections_say(model):
    pictures = torch.rand(3, 3, 64, 64)
    found = directions(model, "layer4.1.out", pictures)
    net = model.module
    expected = (net.embedding.weight @ net.pooled.value.weight).T
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    before = directions(model, "layer4.1.sum", pictures)  # the ReLU cuts a part off
    cosine = torch.cosine_similarity(before, expected, dim=1)
    assert cosine.mean() > 0.8


def test_without_a_language_model_there_is_no_penalty(model):
    (job,) = TEXT_FEATURE_VIS.jobs(model)
    assert job.recipe["penalty"] == 0
    with pytest.raises(BadInput, match="has no language model; use 0"):
        TEXT_FEATURE_VIS.jobs(model, penalty=0.01)


def test_without_a_text_tower_texts_are_refused(model):
    made = shaken()
    made.module.text = None
    with pytest.raises(BadInput, match="no text tower"):
        TEXT_FEATURE_VIS.jobs(made)


def test_facets(model):
    (job,) = FACETED_FEATURE_VIS.jobs(
        model, preset="draft", steps=2, size=64, scenes=16, layers=2, variants=["animal"]
    )
    (found,) = FACETED_FEATURE_VIS.run(model, "layer4.1.sum", [3], job)
    assert len(found.data["probes"]) == 2
    assert found.image.shape == (64, 64, 3)


@pytest.mark.parametrize("node", ["layer2.0.bn1", "layer4.1.sum", "pooled", "embedding"])
def test_pictures_at_another_size(model, node):
    job = FEATURE_VIS.jobs(model, preset="draft", steps=4, size=96)[0]
    (found,) = FEATURE_VIS.run(model, node, [1], job)
    assert found.image.shape == (96, 96, 3)
    assert found.image.std() > 5
