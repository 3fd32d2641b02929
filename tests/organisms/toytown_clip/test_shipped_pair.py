"""The shipped pair: it fits, it is small, and it knows names and words it was never graded on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from micrograph.models import cards, load
from micrograph.organisms import toytown_clip
from micrograph.organisms.toytown.scenes import CLASSES, HELD_OUT
from micrograph.organisms.toytown_clip import measure
from micrograph.organisms.toytown_clip.train import CaptionedPictures

FOLDER = Path(toytown_clip.__file__).parent
PICTURES = 150


@cache
def _held_out() -> CaptionedPictures:
    """Seeds that neither the training nor its own judging has used."""
    return CaptionedPictures.of(range(HELD_OUT + 6_000_000, HELD_OUT + 6_000_000 + PICTURES))


@cache
def _seen() -> torch.Tensor:
    return measure.vectors(load("toytown_clip").module, _held_out().images)


def test_the_file_is_small() -> None:
    assert (FOLDER / "weights.safetensors").stat().st_size <= 4_000_000
    model = load("toytown_clip")
    assert model.card.parameters == sum(p.numel() for p in model.module.parameters())
    assert all(bool(t.isfinite().all()) for t in model.module.state_dict().values())


def test_classes_by_their_names_alone() -> None:
    labels = [
        CLASSES.index(next(f for f in own if f.startswith("thing:"))[6:])
        for own in _held_out().facts
    ]
    assert measure.zero_shot(_seen(), load("toytown_clip").text, torch.tensor(labels)) >= 0.97


def test_words_and_captions() -> None:
    figures = measure.report(_seen(), load("toytown_clip").text, _held_out().facts)
    assert figures["auc_thing"] >= 0.99
    assert figures["auc_family"] >= 0.99
    assert figures["auc_part"] >= 0.9
    assert figures["auc_size"] >= 0.8
    assert figures["true_caption_first_of_100"] >= 0.8


def test_chance_is_what_shuffled_pictures_get() -> None:
    shuffled = _seen()[torch.from_numpy(np.random.default_rng(0).permutation(PICTURES))]
    figures = measure.report(shuffled, load("toytown_clip").text, _held_out().facts)
    assert figures["zero_shot"] < 0.15
    assert figures["auc_thing"] == pytest.approx(0.5, abs=0.1)


def test_no_unit_of_the_trunk_has_died() -> None:
    model = load("toytown_clip")
    rgb = torch.from_numpy(_held_out().images[:60]).permute(0, 3, 1, 2).float() / 255
    names = [name for name in cards()["toytown"].build()._modules if name != "logits"]
    with torch.no_grad():
        for name, values in model.run(rgb, names).items():
            assert float((values > 0).float().mean((0, 2, 3)).min()) > 1e-3, name


def test_the_log_is_of_the_run_that_made_the_weights() -> None:
    lines = [json.loads(line) for line in (FOLDER / "training.jsonl").read_text().splitlines()]
    assert "settings" in lines[0]
    assert lines[-1]["zero_shot"] >= 0.99
    assert lines[-1]["pictures"] == lines[0]["settings"]["held_out"]
    assert [line["step"] for line in lines[2:]] == sorted(line["step"] for line in lines[2:])
