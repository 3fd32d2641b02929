"""Going on from an inner node with other values."""

import nets
import pytest
import torch
from torch import nn

from micrograph.errors import BadInput
from micrograph.models.replacing import replaced


def test_what_follows_sees_the_new_values() -> None:
    net = nn.Sequential(nets.conv(), nn.ReLU(), nets.conv(4), nn.ReLU())
    model = nets.under_microscope(net)
    picture = torch.rand(1, 3, 32, 32)
    values = torch.rand(5, 4, 32, 32, requires_grad=True)
    with replaced(model, "1", values):
        found = model.run(picture, ["3"])["3"]
    with torch.no_grad():
        assert torch.allclose(found, net[3](net[2](values)), atol=1e-6)
    found.sum().backward()
    assert values.grad is not None
    assert values.grad.abs().sum() > 0


def test_the_wanted_call_of_a_module_that_is_called_again() -> None:
    model = nets.under_microscope(nets.Reused())
    shared = model.module.shared
    picture, values = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    with torch.no_grad(), replaced(model, "shared-1", values):
        for _ in range(2):  # each pass counts its calls anew
            found = model.run(picture, ["shared-2"])["shared-2"]
            assert torch.allclose(found, shared(values.sigmoid()), atol=1e-6)


def test_values_that_are_overwritten_later_stay_whole() -> None:
    model = nets.under_microscope(nets.Residual())
    values = torch.rand(1, 4, 32, 32)
    before = values.clone()
    with torch.no_grad(), replaced(model, "second", values):
        model.run(torch.rand(1, 3, 32, 32), [list(model.nodes)[-1]])
    assert torch.equal(values, before)


def test_pictures_that_fit_no_values_are_refused() -> None:
    model = nets.under_microscope(nets.Residual())
    with (
        replaced(model, "first", torch.rand(3, 4, 32, 32)),
        pytest.raises(BadInput, match="2 pictures given where values stand in for those of 3"),
    ):
        model.run(torch.rand(2, 3, 32, 32), ["second"])
    assert model.run(torch.rand(2, 3, 32, 32), ["second"])["second"].shape[0] == 2


def test_a_node_with_two_values_for_each_picture_is_refused() -> None:
    class Flipped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nets.conv(), nn.Linear(4, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            both = self.first(torch.cat([x, x.flip(3)]))
            return sum(self.last(both.mean((2, 3))).chunk(2))

    model = nets.under_microscope(Flipped())
    if "first" not in model.nodes:  # a node has one value for each picture
        return
    with (
        replaced(model, "first", torch.rand(3, 4, 32, 32)),
        pytest.raises(BadInput, match="first has 6 values of each unit for 3 pictures"),
    ):
        model.run(torch.rand(1, 3, 32, 32), ["last"])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_values_take_the_networks_precision(dtype: torch.dtype) -> None:
    net = nn.Sequential(nets.conv(), nn.ReLU(), nets.conv(4)).to(dtype)
    model = nets.under_microscope(net)
    values = torch.rand(2, 4, 32, 32)
    with torch.no_grad(), replaced(model, "1", values):
        found = model.run(torch.rand(1, 3, 32, 32, dtype=dtype), ["2"])["2"]
        expected = net[2].double()(values.double())
    assert torch.allclose(found.double(), expected, atol=2e-2)


def test_no_hook_is_left_also_after_an_error() -> None:
    model = nets.under_microscope(nets.Failing())
    model.nodes  # noqa: B018 - watched before it breaks
    model.module.broken = True
    values = torch.ones(1, 4, 32, 32)
    with pytest.raises(ValueError, match="broken"), replaced(model, "first", values):
        model.module(torch.rand(1, 3, 32, 32))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.module.modules())
