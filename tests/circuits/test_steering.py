"""Steering against plain hooks, one change at a time."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from micrograph import Model, load
from micrograph.circuits.steered import Steered
from micrograph.circuits.steering import steer
from micrograph.errors import BadInput, NotFound


class Row(nn.Module):
    """Two convolutions with ReLUs, and classes."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 30, 3), nn.Conv2d(30, 8, 3), nn.Linear(8, 4)
        self.ra, self.rb = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        return self.c(self.rb(self.b(self.ra(self.a(x)))).mean((2, 3)))


@pytest.fixture(scope="module")
def row():
    torch.manual_seed(0)
    return Model.of(Row(), id="row", preprocessing="16,0..1", labels=["w", "x", "y", "z"])


def by_hook(model, x, units, factor, amount):
    """Means of rb and shares of classes."""
    module, seen = model.module, {}

    def change(_, inputs, output):
        output = output.clone()
        output[:, units] = output[:, units] * factor + amount
        return output

    def keep(_, inputs, output):
        seen["rb"] = output.mean((2, 3))[0]

    handles = [module.ra.register_forward_hook(change), module.rb.register_forward_hook(keep)]
    logits = module(x)[0]
    for handle in handles:
        handle.remove()
    return seen["rb"].double(), logits.softmax(0).double()


@pytest.mark.parametrize(
    ("units", "how", "add", "factor", "amount"),
    [
        ([3], "silence", None, 0.0, 0.0),
        ([3, 7], "double", None, 2.0, 0.0),
        ([5], 0.5, None, 0.5, 0.0),
        ([5], "silence", 0.7, 1.0, 0.7),
    ],
)
def test_every_number_is_what_hooks_say(row, units, how, add, factor, amount):
    x = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    found = steer(row, x, "ra", units, how, add=add)
    assert [node.node for node in found.nodes] == ["rb", "c"]
    assert len(found.controls) == 20
    rb, shares = by_hook(row, x, [], 1.0, 0.0)
    rb_after, shares_after = by_hook(row, x, units, factor, amount)
    others = [by_hook(row, x, list(one), factor, amount) for one in found.controls]
    for effect in found.nodes[0].units:
        change = (rb_after - rb)[effect.unit].item()
        controls = np.array([(one[0] - rb)[effect.unit].item() for one in others])
        assert effect.change == pytest.approx(change, abs=1e-6)
        assert effect.controls_mean == pytest.approx(controls.mean(), abs=1e-6)
        assert effect.rank == 1 + (np.abs(controls) >= abs(change)).sum()
        size = (change - controls.mean()) / controls.std(ddof=1)
        assert effect.effect == pytest.approx(size, rel=1e-2, abs=1e-2)
    for effect in found.classes:
        assert effect.before == pytest.approx(shares[effect.unit].item(), abs=1e-6)
        assert effect.after == pytest.approx(shares_after[effect.unit].item(), abs=1e-6)
        assert effect.label == "wxyz"[effect.unit]
    sizes = [abs(effect.change) for effect in found.nodes[0].units]
    assert sizes == sorted(sizes, reverse=True)


def test_controls_are_about_as_active_and_the_unit_itself_is_none():
    model = load("toytown")
    found = steer(model, "car", "mixed4c", 3, controls=25, nodes=["logits"])
    assert len(found.controls) == 25
    assert (3,) not in found.controls
    assert found.matched
    assert steer(model, "car", "mixed4c", 3, controls=25, nodes=["logits"]) == found


def test_latents_can_be_steered():
    model = load("toytown")
    torch.manual_seed(0)
    node = model.attach("mixed4a", torch.randn(30, 152), name="few")
    found = steer(model, "car", node.id, [4], nodes=["mixed4b"])
    assert found.nodes[0].moved > 0


def test_too_few_units_are_told_of(row):
    x = torch.rand(1, 3, 16, 16)
    assert "only 7 controls instead of 20" in steer(row, x, "rb", 1).notes[0]


def test_it_comes_back_from_its_json(row):
    found = steer(row, torch.rand(1, 3, 16, 16), "ra", 1)
    assert Steered.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    ("node", "units", "options", "error", "words"),
    [
        ("ra", 30, {}, BadInput, "unit 30 of ra is out of range; expected 0-29"),
        ("nope", 0, {}, NotFound, "unknown node"),
        ("ra", [], {}, BadInput, "expected some, each once"),
        ("ra", [1, 1], {}, BadInput, "expected some, each once"),
        ("ra", 1, {"how": "explode"}, BadInput, "is no way to steer; expected silence, halve"),
        ("ra", 1, {"how": 1.0}, BadInput, "other than 1"),
        ("ra", 1, {"add": 0.0}, BadInput, "other than 0"),
        ("ra", 1, {"controls": 1}, BadInput, "controls 1 given"),
        ("rb", 1, {"nodes": ["ra"]}, BadInput, "ra is not behind rb"),
        ("c", 1, {}, BadInput, "nothing worth seeing is behind c"),
        ("rb", list(range(8)), {}, BadInput, "too few for controls"),
    ],
)
def test_what_makes_no_sense_is_refused(row, node, units, options, error, words):
    with pytest.raises(error, match=words):
        steer(row, torch.rand(1, 3, 16, 16), node, units, **options)
