"""The shipped weights: they fit, they are small, they see, and no unit of theirs is dead."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from micrograph.organisms import toytown
from micrograph.organisms.toytown import measure, network, scenes
from micrograph.organisms.toytown.parts import PARTS

FOLDER = Path(toytown.__file__).parent
WEIGHTS = FOLDER / "weights.safetensors"
PICTURES = 400


@cache
def _shipped() -> network.ToyTown:
    net = network.build()
    net.load_state_dict(load_file(WEIGHTS))
    return measure.channels_last(net.eval())


@cache
def _held_out() -> scenes.PictureBatch:
    return scenes.batch(range(scenes.HELD_OUT + 5_000_000, scenes.HELD_OUT + 5_000_000 + PICTURES))


def test_the_file_is_small_half_precision_and_fits_the_network() -> None:
    assert WEIGHTS.stat().st_size <= 4_000_000
    state = load_file(WEIGHTS)
    expected = network.build().state_dict()
    assert {k: v.shape for k, v in state.items()} == {k: v.shape for k, v in expected.items()}
    assert {v.dtype for v in state.values()} == {torch.float16}
    assert all(bool(torch.isfinite(v).all()) for v in state.values())


@pytest.mark.nightly
def test_held_out_accuracy() -> None:
    """On seeds that neither the training nor its own judging has used."""
    assert measure.accuracy(_shipped(), _held_out()) >= 0.97


def test_most_pictures_survive_a_small_attack() -> None:
    data = _held_out()
    few = scenes.PictureBatch(data.images[:40], data.labels[:40], data.parts[:40])
    assert measure.attacked_accuracy(_shipped(), few, radius=1.0, steps=3) >= 0.7


def test_no_unit_is_dead() -> None:
    data = _held_out()
    some = scenes.PictureBatch(data.images[:150], data.labels[:150], data.parts[:150])
    shares = measure.liveliness(_shipped(), some)
    assert len(shares) == 3 + 6 * len(network.MIXED)
    for name, share in shares.items():
        assert float(share.min()) > 1e-3, (name, int(share.argmin()))


def test_an_attack_stays_within_its_radius() -> None:
    x = torch.randn(3, 3, 8, 8)
    lengths = measure.within(x, 0.5).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((3,), 0.5))
    torch.testing.assert_close(measure.within(x, 1e4), x)
    torch.testing.assert_close(measure.unit_length(x).flatten(1).norm(dim=1), torch.ones(3))


def test_part_precision_is_one_for_perfect_maps_and_the_base_rate_for_none() -> None:
    rng = np.random.default_rng(0)
    shares = np.zeros((4, len(PARTS), 12, 12), dtype=np.uint8)
    shares[:, 0] = rng.integers(0, 2, (4, 12, 12)) * 255
    perfect = measure.part_precision(torch.from_numpy(shares).float(), shares)
    assert perfect == {PARTS[0]: pytest.approx(1.0)}
    noise = torch.from_numpy(rng.standard_normal(shares.shape))
    assert measure.part_precision(noise, shares)[PARTS[0]] == pytest.approx(0.5, abs=0.1)


def test_the_log_is_of_the_run_that_made_the_weights() -> None:
    lines = [json.loads(line) for line in (FOLDER / "training.jsonl").read_text().splitlines()]
    legs = [i for i, line in enumerate(lines) if "settings" in line]
    assert legs[0] == 0
    final = lines[-1]
    assert final["accuracy"] >= 0.97
    assert final["pictures"] >= 1000
    assert final["dead"] == {}
    for begin, end in zip(legs, [*legs[1:], len(lines)], strict=True):
        steps = [line["step"] for line in lines[begin:end] if "step" in line]
        assert steps == sorted(steps)
