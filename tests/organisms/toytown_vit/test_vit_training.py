"""The training on a few pictures: it learns them, and what it leaves behind can be loaded."""

import json
from pathlib import Path

import numpy as np
import torch

from micrograph.organisms.toytown import data
from micrograph.organisms.toytown.scenes import PictureBatch, batch
from micrograph.organisms.toytown_vit.network import build
from micrograph.organisms.toytown_vit.train import TransformerSettings, TransformerTraining
from micrograph.organisms.training import augmented


def test_a_few_steps_lower_the_loss_and_leave_a_file(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    settings = TransformerSettings(pictures=16, epochs=5, batch=8, rate=2e-3)
    drawn: PictureBatch = batch(range(16))
    training = TransformerTraining(settings, tmp_path)
    rgb, labels, shares = augmented(drawn, np.arange(8), np.random.default_rng(0))
    losses = []
    for _ in range(10):
        figures, slope = training.update(rgb, labels, shares)
        losses.append(figures[0])
    assert slope.shape == rgb.shape
    assert float(slope.abs().max()) > 0
    assert losses[-1] < 0.8 * losses[0]
    training.judge(drawn)
    build().load_state_dict(
        {
            k: v.float()
            for k, v in TransformerTraining(
                settings, tmp_path / "more", tmp_path / "weights.safetensors"
            )
            .network.state_dict()
            .items()
        }
    )
    lines = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert lines[0]["settings"]["batch"] == 8
    assert 0 <= lines[-1]["accuracy"] <= 1


def test_an_epoch_uses_every_batch_twice(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    settings = TransformerSettings(pictures=16, epochs=1, batch=8)
    training = TransformerTraining(settings, tmp_path)
    training.epoch(batch(range(16)))
    assert training.step == training.steps == 4
    assert len(list(data.shuffled(16, 8, np.random.default_rng(0)))) == 2
