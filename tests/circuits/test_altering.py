"""Units changed on the way, against plain hooks."""

import pytest
import torch
from torch import nn

from micrograph import Model, load
from micrograph.circuits.altering import SILENCED, Change, altered_answers, matched_units
from micrograph.errors import BadInput


class Two(nn.Module):
    """Two convolutions in a row with ReLUs, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 5, 3), nn.Linear(5, 4)
        self.ra, self.rb = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        x = self.rb(self.b(self.ra(self.a(x))))
        return self.c(x.mean((2, 3)))


@pytest.fixture
def two():
    torch.manual_seed(0)
    return Model.of(Two(), id="two", preprocessing="16,0..1")


def by_hook(model, picture, changes):
    """Changes: path of a module, units, factor, amount."""

    def hook(units, factor, amount):
        def change(module, inputs, output):
            output = output.clone()
            output[:, units] = output[:, units] * factor + amount
            return output

        return change

    handles = [
        model.module.get_submodule(path).register_forward_hook(hook(*rest))
        for path, *rest in changes
    ]
    found = model.module(model.preprocessing.apply(picture))
    for handle in handles:
        handle.remove()
    return found


def test_each_group_is_changed_by_itself(two):
    picture = torch.rand(1, 3, 16, 16)
    groups = [{}, {"ra": [1]}, {"ra": [0, 2], "rb": [4]}, {"rb": [3]}]
    found = altered_answers(two, picture, groups, Change(0.5, 0.25), ["c"])["c"]
    plain = [
        [],
        [("ra", [1], 0.5, 0.25)],
        [("ra", [0, 2], 0.5, 0.25), ("rb", [4], 0.5, 0.25)],
        [("rb", [3], 0.5, 0.25)],
    ]
    for number, changes in enumerate(plain):
        assert torch.allclose(found[number], by_hook(two, picture, changes)[0], atol=1e-6)
    assert not any(module._forward_hooks for module in two.module.modules())


def test_silencing_a_latent_leaves_what_is_not_explained():
    model = load("toytown")
    torch.manual_seed(0)
    directions = torch.randn(4, 152)
    node = model.attach("mixed4a", directions, name="few")
    picture = torch.rand(1, 3, 96, 96)
    found = altered_answers(model, picture, [{node.id: [2]}], SILENCED, ["mixed4a"])["mixed4a"]
    there = model.run(picture, ["mixed4a", node.id])
    encoder = model.attached(node.id).dictionary
    wanted = there["mixed4a"] - torch.einsum(
        "byx,u->buyx", there[node.id][:, 2], encoder.decoder[2]
    )
    assert torch.allclose(found, wanted, atol=1e-5)


def test_nodes_that_write_the_same_values_are_refused():
    model = load("toytown")
    node = model.attach("mixed4a", torch.eye(152)[:3], name="axes")
    with pytest.raises(BadInput, match="same values"):
        altered_answers(
            model,
            torch.rand(1, 3, 96, 96),
            [{"mixed4a": [0], node.id: [1]}],
            SILENCED,
            ["logits"],
        )


def test_controls_are_the_nearest_and_never_the_units_themselves():
    levels = [float(unit) for unit in range(100)]
    found = matched_units(levels, [50], 10)
    assert len({tuple(one) for one in found}) == len(found) == 10
    assert all(unit != 50 and abs(unit - 50) <= 15 for (unit,) in found)
    pairs = matched_units(levels, [10, 90], 10)
    assert len(pairs) == 10
    assert all(a <= 31 and b >= 69 for a, b in pairs)
    assert matched_units(levels, [50], 10) == found
    assert len(matched_units([0.0, 1.0, 2.0], [1], 20)) == 2
    few = [*[0.0] * 90, *map(float, range(1, 11))]  # most are silent, and match no other
    assert sorted(unit for (unit,) in matched_units(few, [99], 5)) == [94, 95, 96, 97, 98]


def test_units_that_are_not_there_are_refused(two):
    with pytest.raises(BadInput, match="unit 6 of ra is out of range; expected 0-5"):
        altered_answers(two, torch.rand(1, 3, 16, 16), [{"ra": [6]}], SILENCED, ["c"])
