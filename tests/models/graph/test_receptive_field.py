"""Receptive fields against brute force: where the gradient of one position is not zero."""

import pytest
import torch
import torch.nn.functional as F
from nets import under_microscope as under_lens
from torch import nn

from micrograph.models.graph.receptive_field import UNKNOWN, WHOLE, Field, Span, union
from micrograph.models.model import Model
from micrograph.models.node import ReceptiveField


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(4, 2, 1)
        self.five = nn.Conv2d(4, 3, 5, padding=2, dilation=2)

    def forward(self, x):
        return torch.cat([self.one(x)[:, :, 2:-2, 2:-2], self.five(x)], 1)


class Shifted(nn.Module):
    def forward(self, x):
        return F.pad(x, (1, 0, 1, 0))[:, :, 3:, 3:-1] * 2


class Strided(nn.Module):
    def forward(self, x):
        return x[:, :, 1::2, 1::2]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        y = F.gelu(self.norm(self.a(x)))
        y += x
        return y.view(1, 2, 2, *y.shape[2:]).transpose(1, 2).reshape(y.shape)


def first(stride=1, **kw):
    return nn.Conv2d(3, 4, 3, stride, **kw)


NETS = {
    "conv": nn.Sequential(first()),
    "stride and padding": nn.Sequential(first(2, padding=1), nn.Conv2d(4, 2, 5, 3, padding=2)),
    "dilation": nn.Sequential(first(), nn.Conv2d(4, 2, 3, 2, padding=3, dilation=3)),
    "grouped": nn.Sequential(first(2), nn.Conv2d(4, 4, 3, groups=2)),
    "even kernel": nn.Sequential(nn.Conv2d(3, 4, 4, 2, padding=1), nn.Conv2d(4, 2, 2)),
    "average pool": nn.Sequential(first(), nn.AvgPool2d(3, 2, padding=1)),
    "pool without overlap": nn.Sequential(first(), nn.AvgPool2d(2), nn.Conv2d(4, 2, 3)),
    "ceil pool": nn.Sequential(first(2), nn.AvgPool2d(3, 2, ceil_mode=True), nn.Conv2d(4, 4, 3)),
    "branches": nn.Sequential(first(2), Branches(), nn.Conv2d(5, 2, 3)),
    "residual": nn.Sequential(first(2, padding=1), Residual(), Residual()),
    "shifted": nn.Sequential(first(2), Shifted(), nn.Conv2d(4, 2, 3)),
    "strided by slicing": nn.Sequential(first(), Strided(), nn.Conv2d(4, 2, 3)),
    "adaptive pool": nn.Sequential(first(2), nn.AdaptiveAvgPool2d(6)),
    "softmax over units": nn.Sequential(first(), nn.Softmax2d()),
}
SIZE = 49


def under_microscope(net: nn.Module) -> Model:
    return under_lens(net, SIZE)


def seen_pixels(model: Model, name: str, y: int, x: int) -> tuple[int, int, int, int]:
    """First and last row and column that position (y, x) of the node depends on."""
    image = torch.rand(1, 3, SIZE, SIZE, dtype=torch.float64).requires_grad_()
    value = model.run(image, [name])[name][0, :, y, x]
    weights = torch.rand(len(value), dtype=torch.float64)
    grad = torch.autograd.grad((value * weights).sum(), image)[0].abs().sum((0, 1))
    rows, columns = grad.sum(1).nonzero()[:, 0], grad.sum(0).nonzero()[:, 0]
    return rows[0].item(), rows[-1].item(), columns[0].item(), columns[-1].item()


@pytest.mark.parametrize("name", NETS)
def test_fields_match_the_gradient(name):
    torch.manual_seed(3)
    model = under_microscope(NETS[name].double())
    for node in model.nodes.values():
        field = node.receptive_field
        assert field.status == "exact", node.id
        for y, x in {(0, 0), (node.shape[0] // 2, node.shape[1] // 3), (-1, -1)}:
            y, x = y % node.shape[0], x % node.shape[1]
            span = [field.start + p * field.stride for p in (y, x)]
            expected = [(max(s, 0), min(s + field.size - 1, SIZE - 1)) for s in span]
            assert seen_pixels(model, node.id, y, x) == (*expected[0], *expected[1]), node.id


def test_max_pool_reaches_as_far_as_average_pool():
    nets = [nn.Sequential(first(), pool(3, 2, 1)) for pool in (nn.MaxPool2d, nn.AvgPool2d)]
    fields = [under_microscope(net).node("1").receptive_field for net in nets]
    assert fields[0] == fields[1] == ReceptiveField(5, 2, -1)


def test_one_sided_kernels_are_covered_by_a_square():
    net = nn.Sequential(nn.Conv2d(3, 4, (1, 7), padding=(0, 3)), nn.Conv2d(4, 4, (7, 1)))
    model = under_microscope(net)
    assert model.node("0").receptive_field == ReceptiveField(7, 1, -3)
    assert model.node("1").receptive_field == ReceptiveField(10, 1, -3)


@pytest.mark.parametrize(
    "last",
    [
        nn.AdaptiveAvgPool2d(1),
        nn.AdaptiveMaxPool2d(1),
        nn.Sequential(nn.Flatten(), nn.Linear(4 * 47 * 47, 3)),
        nn.GroupNorm(2, 4),
    ],
    ids=["average", "max", "linear", "group norm"],
)
def test_whole_input(last):
    model = under_microscope(nn.Sequential(first(), last))
    node = list(model.nodes.values())[-1]
    assert node.receptive_field == ReceptiveField(status="whole input")


@pytest.mark.parametrize(
    "odd",
    [
        nn.Upsample(scale_factor=2),
        nn.ConvTranspose2d(4, 4, 3, 2),
        nn.AdaptiveAvgPool2d(5),
        nn.Sequential(nn.PixelShuffle(2)),
    ],
    ids=["upsample", "transposed", "uneven adaptive pool", "pixel shuffle"],
)
def test_what_is_not_understood_is_unknown(odd):
    model = under_microscope(nn.Sequential(first(), odd))
    node = list(model.nodes.values())[-1]
    assert node.receptive_field.status == "unknown"


def test_union_rules():
    a, b = Field(Span(3, 2, -1), Span(3, 2, -1)), Field(Span(5, 2, 0), Span(1, 2, 0))
    assert union([a, b]) == Field(Span(6, 2, -1), Span(3, 2, -1))
    assert union([a, WHOLE]) == WHOLE
    assert union([WHOLE, UNKNOWN, a]) == UNKNOWN
    assert union([a, Field()]) == UNKNOWN  # two strides in one map
    assert union([a]) == a


class Given(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def to_depth(x):
    b, u, y, w = x.shape
    x = x.view(b, u, y // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4)
    return x.reshape(b, 4 * u, y // 2, w // 2)


def focus(x):
    return torch.cat([x[..., i::2, j::2] for j in (0, 1) for i in (0, 1)], 1)


DERIVED = {
    "pixel unshuffle": (nn.PixelUnshuffle(2), 16, ReceptiveField(8, 2, 0)),
    "space to depth": (Given(to_depth), 16, ReceptiveField(8, 2, 0)),
    "slices to depth": (Given(focus), 16, ReceptiveField(8, 2, 0)),
    "depth to space and back": (
        nn.Sequential(nn.PixelShuffle(2), nn.PixelUnshuffle(2)),
        4,
        ReceptiveField(5, 1, 0),
    ),
    "reflection": (Given(lambda x: F.pad(x, (1, 1, 1, 1), "reflect")), 4, ReceptiveField(5, 1, -1)),
    "replication": (
        Given(lambda x: F.pad(x, (1, 1, 1, 1), "replicate")),
        4,
        ReceptiveField(5, 1, -1),
    ),
    "largest unit": (Given(lambda x: x - x.amax(1, keepdim=True)), 4, ReceptiveField(5, 1, 0)),
    "maxout": (Given(lambda x: x.unflatten(1, (2, 2)).max(2)[0]), 2, ReceptiveField(5, 1, 0)),
    "units in another order": (Given(lambda x: x[:, [2, 3, 0, 1]]), 4, ReceptiveField(5, 1, 0)),
    "channel shuffle": (nn.ChannelShuffle(2), 4, ReceptiveField(5, 1, 0)),
    "mean of two views": (
        Given(lambda x: torch.stack([x, x * 2]).mean(0)),
        4,
        ReceptiveField(5, 1, 0),
    ),
    "down and up": (
        nn.Sequential(nn.AvgPool2d(2), nn.Upsample(scale_factor=2)),
        4,
        ReceptiveField(7, 1, -1, "at most"),
    ),
    "transposed": (
        nn.Sequential(nn.AvgPool2d(2), nn.ConvTranspose2d(4, 4, 2, 2)),
        4,
        ReceptiveField(7, 1, -1, "at most"),
    ),
    "along an axis": (
        Given(lambda x: x * x.mean(2, keepdim=True)),
        4,
        ReceptiveField(0, 0, 0, "whole input"),
    ),
    "instance norm": (nn.InstanceNorm2d(4), 4, ReceptiveField(0, 0, 0, "whole input")),
    "live batch norm": (
        nn.BatchNorm2d(4, track_running_stats=False),
        4,
        ReceptiveField(0, 0, 0, "whole input"),
    ),
    "softmax over space": (
        Given(lambda x: x * x.flatten(2).softmax(2).view_as(x)),
        4,
        ReceptiveField(0, 0, 0, "whole input"),
    ),
    "standardized by hand": (
        Given(lambda x: (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True)),
        4,
        ReceptiveField(0, 0, 0, "whole input"),
    ),
    "wrapped around": (
        Given(lambda x: F.pad(x, (1, 1, 1, 1), "circular")),
        4,
        ReceptiveField(0, 0, 0, "unknown"),
    ),
}


@pytest.mark.parametrize("name", DERIVED)
def test_fields_that_can_be_derived(name):
    between, units, expected = DERIVED[name]
    net = nn.Sequential(nn.Conv2d(3, 4, 3), between, nn.Conv2d(units, 2, 3))
    assert under_lens(net.double(), 50).node("2").receptive_field == expected


def test_units_of_one_branch_see_what_it_sees():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 5, padding=2)
            self.of_a, self.of_both = nn.Conv2d(4, 2, 1), nn.Conv2d(8, 2, 1)

        def forward(self, x):
            x = torch.cat([self.a(x), self.b(x)], 1)
            return self.of_a(x[:, :4]), self.of_both(x)

    model = under_microscope(Cut())
    assert model.node("of_a").receptive_field == ReceptiveField(5, 1, -2, "at most")
    assert model.node("of_both").receptive_field == ReceptiveField(5, 1, -2)
