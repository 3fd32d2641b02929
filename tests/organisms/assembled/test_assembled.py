"""The network whose compositions are known: what it learns to need, and what stays untouched."""

from pathlib import Path

import numpy as np
import torch

from micrograph import load
from micrograph.organisms.assembled.needs import IDLE, NEEDED
from micrograph.organisms.assembled.network import trained, untrained
from micrograph.organisms.assembled.train import AssembledSettings, left_out, train
from micrograph.organisms.toytown import measure, scenes
from micrograph.organisms.toytown.classes import CLASSES
from micrograph.organisms.toytown.composition import COMPOSED
from micrograph.organisms.toytown.parts import PARTS


def test_what_is_needed_and_what_is_idle_are_parts_of_the_thing_and_not_the_same() -> None:
    assert set(NEEDED) == set(IDLE) == set(COMPOSED)
    for thing, parts in COMPOSED.items():
        assert NEEDED[thing]
        assert NEEDED[thing] | IDLE[thing] <= parts
        assert not NEEDED[thing] & IDLE[thing]


def test_pictures_lack_one_needed_part_or_idle_ones() -> None:
    draw = np.random.default_rng(0)
    found = [set(left_out(CLASSES.index("car"), draw)) for _ in range(200)]
    assert all(not f or (f <= NEEDED["car"] and len(f) == 1) or f <= IDLE["car"] for f in found)
    assert set.union(*found) == NEEDED["car"] | IDLE["car"]
    assert set() in found


def test_its_trunk_is_toytown() -> None:
    images = measure.pixels(np.stack([scenes.picture(5)]))
    with torch.no_grad():
        found = untrained().trunk(measure.normalized(images))
    wanted = load("toytown").run(images, ["mixed4b"])["mixed4b"]
    assert torch.allclose(found, wanted, atol=1e-4)


def test_training_changes_the_units_that_mean_something_and_no_others(tmp_path: Path) -> None:
    settings = AssembledSettings(pictures=64, epochs=1)
    after = train(settings, tmp_path)
    before = untrained(settings.seed)
    for name, count in (("parts", len(PARTS)), ("things", len(CLASSES))):
        old = getattr(before, name).conv.weight.flatten(1)
        new = getattr(after, name).conv.weight.flatten(1)
        # Bystanders were made as strong as the others once, which turns no kernel.
        alike = torch.cosine_similarity(old, new, dim=1)
        assert alike[count:].min() > 0.9999
        assert alike[:count].max() < 0.9999
    for a, b in zip(before.trunk.parameters(), after.trunk.parameters(), strict=True):
        assert torch.equal(a, b)
    kept = trained(tmp_path / "weights.safetensors")
    images = measure.normalized(measure.pixels(np.stack([scenes.picture(5)])))
    with torch.no_grad():
        assert torch.allclose(kept(images), after(images), rtol=0.05, atol=0.05)
