"""What the trainings of the family share, against what it must come to by hand."""

import json
import sys

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from micrograph.organisms.toytown import train as classifier
from micrograph.organisms.toytown_clip import train as pair
from micrograph.organisms.toytown_vit import train as transformer
from micrograph.organisms.training import (
    ClassifierSettings,
    TrainingLog,
    TrainingSettings,
    adamw,
    attacked,
    command_line,
    rate_share,
    save_half,
    set_rate,
)


def test_the_attack_grows_to_its_radius_over_the_ramp():
    settings = ClassifierSettings(pictures=640, epochs=5, batch=64, radius=3.0, ramp=0.5)
    assert settings.steps == 100  # ten batches, twice, five times
    assert [settings.reach(step) for step in (0, 25, 50, 100)] == [0.0, 1.5, 3.0, 3.0]
    assert ClassifierSettings(pictures=64, epochs=1, ramp=0.0).reach(1) == 3.0


def test_the_rate_rises_then_falls_to_nothing():
    found = [rate_share(step, 100) for step in range(101)]
    assert found[:5] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert found[5] == 1.0
    assert found[5:] == sorted(found[5:], reverse=True)
    assert found[100] == pytest.approx(0.0, abs=1e-9)


def test_pictures_move_by_the_distance_that_is_asked_for():
    generator = torch.Generator().manual_seed(0)
    rgb = torch.full((2, 3, 8, 8), 0.5)
    slope = torch.randn(rgb.shape, generator=generator)
    moved = attacked(rgb, slope, 0.25) - rgb
    assert torch.allclose(moved.flatten(1).norm(dim=1), torch.tensor([0.25, 0.25]))
    assert torch.allclose(moved / moved.norm(), slope / slope.norm(), atol=0.05)
    assert attacked(rgb, slope, 1000.0).amin() == 0.0, "they stay pictures"


def test_only_matrices_and_kernels_decay():
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    optimizer = adamw(net.parameters(), TrainingSettings(decay=0.1, rate=0.5))
    decays = {p: g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert {n: decays[p] for n, p in net.named_parameters()} == {
        "0.weight": 0.1,
        "0.bias": 0.0,
        "1.weight": 0.0,
        "1.bias": 0.0,
        "3.weight": 0.1,
        "3.bias": 0.0,
    }
    set_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


def test_the_log_has_the_settings_first(tmp_path):
    log = TrainingLog(tmp_path / "new", TrainingSettings(seed=7))
    log(step=3, loss=0.5)
    lines = (tmp_path / "new/training.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert first["settings"]["seed"] == 7
    assert second.pop("seconds") >= 0
    assert second == {"step": 3, "loss": 0.5}


def test_weights_are_kept_in_half_precision(tmp_path):
    net = nn.Linear(3, 2)
    given = save_half(net, tmp_path)
    kept = load_file(tmp_path / "weights.safetensors")
    assert kept["weight"].dtype == torch.float16
    assert torch.equal(kept["weight"], net.weight.detach().half())
    assert torch.equal(kept["bias"], given["bias"])


def test_options_are_the_settings(tmp_path):
    parser = command_line("First line.\n\nMore.", ClassifierSettings, ("rate", "seed"))
    given = parser.parse_args(["--out", str(tmp_path), "--rate", "0.5"])
    assert (given.rate, given.seed, given.out) == (0.5, 0, tmp_path)
    assert parser.description == "First line."


@pytest.mark.parametrize(
    ("training", "options", "expected"),
    [
        (
            classifier,
            ["--rate", "0.5", "--workers", "1", "--quick"],
            classifier.ToyTownSettings(pictures=6000, epochs=3, held_out=500, rate=0.5, workers=1),
        ),
        (classifier, [], classifier.ToyTownSettings()),
        (pair, ["--pictures", "64", "--seed", "3"], pair.PairSettings(pictures=64, seed=3)),
        (transformer, ["--ramp", "0.25"], transformer.TransformerSettings(ramp=0.25)),
    ],
)
def test_each_command_trains_with_what_was_typed(
    training, options, expected, monkeypatch, tmp_path
):
    given = []
    monkeypatch.setattr(training, "run", lambda *arguments: given.extend(arguments))
    monkeypatch.setattr(sys, "argv", ["train", "--out", str(tmp_path), *options])
    threads = torch.get_num_threads()
    training.main()
    torch.set_num_threads(threads)
    assert given[:2] == [expected, tmp_path]


def test_defaults_are_those_of_the_trainings_that_shipped():
    ours = classifier.ToyTownSettings()
    assert (ours.pictures, ours.rate, ours.radius, ours.ramp) == (38_400, 3e-3, 2.0, 0.4)
    theirs = transformer.TransformerSettings()
    assert (theirs.pictures, theirs.rate, theirs.radius, theirs.ramp) == (38_400, 1.5e-3, 3.0, 0.5)
    both = pair.PairSettings()
    assert (both.pictures, both.rate, both.trunk_rate, both.held_out) == (8192, 1e-3, 2e-4, 1000)
