"""Nodes have one row per picture, whatever the network does with the axis of pictures."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from nets import conv, edges, under_microscope
from torch import Tensor, nn

IMAGES = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Two convolutions and something between them."""

    def __init__(self, between: Callable[["Net", Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second = conv(), conv(4, 6)
        self.matrix = nn.Parameter(torch.randn(4, 4))
        self.between = between

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.between(self, self.first(x)))


def alone(net: nn.Module, name: str) -> Tensor:
    """The output of a module, one picture at a time."""
    found: list[Tensor] = []
    hook = net.get_submodule(name).register_forward_hook(lambda m, a, out: found.append(out))
    with torch.no_grad():
        for image in IMAGES:
            net(image[None])
    hook.remove()
    return torch.cat(found)


BETWEEN: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "einsum": lambda net, x: torch.einsum("bchw,dc->bdhw", x, net.matrix),
    "einsum, batch last": lambda net, x: torch.einsum("bchw,cd->hwdb", x, net.matrix).permute(
        3, 2, 0, 1
    ),
    "einsum, ellipsis": lambda net, x: torch.einsum("bc...,cd->bd...", x, net.matrix),
    "tensordot": lambda net, x: torch.tensordot(x, net.matrix, ([1], [0])).permute(0, 3, 1, 2),
    "matmul": lambda net, x: (x.permute(0, 2, 3, 1) @ net.matrix).permute(0, 3, 1, 2),
    "joined with rows": lambda net, x: (
        x.transpose(1, 2).flatten(0, 1).unflatten(0, (-1, 32)).transpose(1, 2)
    ),
    "as one map of groups": lambda net, x: F.conv2d(
        x.reshape(1, -1, 32, 32), net.matrix.repeat(len(x), 1)[..., None, None], groups=len(x)
    ).view(-1, 4, 32, 32),
}


@pytest.mark.parametrize("between", BETWEEN)
def test_ways_around_the_axis_of_pictures(between: str) -> None:
    torch.manual_seed(1)
    net = Net(BETWEEN[between]).eval()
    model = under_microscope(net)
    assert not model.slips
    assert edges(model)["second"], between
    with torch.no_grad():
        for name, value in model.run(IMAGES, ["first", "second"]).items():
            assert torch.allclose(value, alone(net, name), atol=1e-5)
    assert model.node("second").receptive_field.status == "exact"


class Flipped(nn.Module):
    """Each picture and its mirror image side by side in the batch; answers are their mean."""

    def __init__(self, interleaved: bool) -> None:
        super().__init__()
        self.first, self.head, self.interleaved = conv(), nn.Linear(4, 5), interleaved

    def forward(self, x: Tensor) -> Tensor:
        if self.interleaved:
            both = torch.stack([x, x.flip(3)], 1).flatten(0, 1)
            return self.head(self.first(both).mean((2, 3))).unflatten(0, (-1, 2)).mean(1)
        a, b = self.head(self.first(torch.cat([x, x.flip(3)])).mean((2, 3))).chunk(2)
        return (a + b) / 2


@pytest.mark.parametrize("interleaved", [False, True])
def test_views_of_a_picture_are_no_pictures(interleaved: bool) -> None:
    net = Flipped(interleaved).eval()
    model = under_microscope(net)
    assert set(model.nodes) == ({"output"} if interleaved else {"add", "output"})
    with torch.no_grad():
        for value in model.run(IMAGES, list(model.nodes)).values():
            assert len(value) == len(IMAGES)
        assert torch.equal(model.run(IMAGES, ["output"])["output"], net(IMAGES))


LOST: dict[str, Callable[[Tensor], Tensor]] = {
    "one by one": lambda x: torch.stack([one * 2 for one in x]),
    "slice by slice": lambda x: torch.cat([x[i : i + 1] * 2 for i in range(len(x))]),
    "another order and back": lambda x: x.flip(0).sin().flip(0),
    "all in one row": lambda x: x.transpose(0, 1).flatten().view(4, -1, 32, 32).transpose(0, 1),
}


@pytest.mark.parametrize("between", LOST)
def test_the_axis_of_pictures_is_found_again(between: str) -> None:
    torch.manual_seed(1)
    net = Net(lambda _, x: LOST[between](x)).eval()
    model = under_microscope(net)
    with torch.no_grad():
        found = model.run(IMAGES, ["second"])["second"]
        assert torch.allclose(found, alone(net, "second"), atol=1e-5)


MIXED: dict[str, Callable[[Tensor], Tensor]] = {
    "another order": lambda x: x.flip(0),
    "another order by index": lambda x: x[torch.arange(len(x) - 1, -1, -1)],
    "another order by a mask and an index": lambda x: x[torch.arange(len(x)).flip(0), :, :32],
    "rolled": lambda x: x.roll(1, 0),
    "those before": lambda x: x.cumsum(0),
    "sorted": lambda x: x.sort(0)[0],
    "the first of them": lambda x: x[:1].expand_as(x),
}


@pytest.mark.parametrize("mixed", MIXED)
def test_pictures_in_another_order_or_mixed_are_no_node(mixed: str) -> None:
    net = Net(lambda _, x: MIXED[mixed](x))
    assert list(under_microscope(net).nodes) == ["first"]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("weights", [True, False])
def test_attention_of_torch(batch_first: bool, weights: bool) -> None:
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 8, 8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=batch_first)
            self.after = nn.Linear(8, 6)

        def forward(self, x: Tensor) -> Tensor:
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = x if batch_first else x.transpose(0, 1)
            return self.after(self.attention(x, x, x, need_weights=weights)[0])

    net = Attending().eval()
    model = under_microscope(net)
    assert (model.node("after").units, model.node("after").shape) == (6, (4, 4))
    assert model.node("after").receptive_field.status == "whole input"
    with torch.no_grad():
        found = model.run(IMAGES, ["after"])["after"].flatten(2)
        expected = net(IMAGES) if batch_first else net(IMAGES).transpose(0, 1)
    assert torch.allclose(found.transpose(1, 2), expected, atol=1e-5)


def test_networks_that_take_one_picture_only_are_watched_with_one() -> None:
    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = conv()

        def forward(self, x: Tensor) -> Tensor:
            assert len(x) == 1
            return self.first(x)

    assert list(under_microscope(One()).nodes) == ["first"]
