"""The dictionary that ships with toytown, on scenes that it never saw and their exact masks."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from micrograph import models
from micrograph.models import load
from micrograph.organisms.toytown import measure, scenes
from micrograph.organisms.toytown.parts import PARTS

FIRST = scenes.HELD_OUT + 80_000
NAMED = {"trunk": 68, "window": 184, "dial": 160, "wall": 156, "rim": 39}
"""Latents that docs/dictionaries.md or its benchmark calls by the name of a part."""


@pytest.fixture(scope="module")
def model():
    model = load("toytown")
    model.node("mixed4a.sae")
    return model


@pytest.fixture(scope="module")
def seen(model):
    """Units, latents and which part is where, of 240 scenes: [position, ...] each."""
    drawn = scenes.batch(range(FIRST, FIRST + 240))
    found = []
    with torch.inference_mode():
        for images in np.array_split(drawn.images, 6):
            found.append(model.run(measure.pixels(images), ["mixed4a"])["mixed4a"])
    units = torch.cat(found).permute(0, 2, 3, 1).flatten(0, 2)
    truth = drawn.parts.transpose(0, 2, 3, 1).reshape(len(units), -1) > 85
    return units, model.attached("mixed4a.sae").dictionary.values(units), truth


def test_it_is_small_and_made_for_these_weights(model):
    ((node, name, path),) = model.card.dictionaries
    assert (node, name) == ("mixed4a", "sae")
    assert (Path(models.__file__).parents[1] / path).stat().st_size < 500_000
    trained = json.loads(model.attached("mixed4a.sae").dictionary.about()["trained"])
    assert (trained["node"], trained["weights"]) == (node, model.digest)


def test_it_explains_most_with_few_latents(model, seen):
    units, latents, _ = seen
    left = units - model.attached("mixed4a.sae").dictionary.decode(latents)
    explained = 1 - left.square().sum() / (units - units.mean(0)).square().sum()
    assert explained > 0.8
    assert 7 < (latents > 0).float().sum(1).mean() < 9
    assert ((latents > 0).sum(0) == 0).float().mean() < 0.05


def precision(values, truth):
    """Average precision at the positions where `values` are above zero."""
    order = np.argsort(-values, kind="stable")[: int((values > 0).sum())]
    right = truth[order]
    return float((right.cumsum() / np.arange(1, len(order) + 1) * right).sum() / truth.sum())


@pytest.mark.parametrize(("part", "latent"), NAMED.items())
def test_a_latent_is_more_of_a_part_than_any_unit(seen, part, latent):
    units, latents, truth = seen
    there = truth[:, PARTS.index(part)]
    best = max(precision(unit, there) for unit in units.T.numpy())
    assert precision(latents[:, latent].numpy(), there) > best + 0.03
