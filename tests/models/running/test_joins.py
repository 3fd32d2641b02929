"""Sums and concatenations in plain code."""

import torch
import torch.nn.functional as F
from nets import SIZE, Concatenated, Residual, conv, edges, hooks_of, under_microscope
from torch import nn

from micrograph.models.replacing import replaced
from micrograph.models.running.joins import JoinCalls

IMAGES = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


class Nested(nn.Module):
    """Two sums in a part that is called twice, and one outside, among others that are none."""

    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = conv(3, 3), conv(3, 3)
            self.bias = nn.Parameter(torch.randn(3, 1, 1))

        def forward(self, x):
            y = self.a(x) + self.bias  # no sum of two values from the picture
            y = torch.add(x, y) + 1
            return F.relu(y.add(self.b(y)))

    def __init__(self):
        super().__init__()
        self.part, self.last = Nested.Part(), conv(3, 3)

    def forward(self, x):
        x = self.part(self.part(self.last(x)))
        y = self.last(x)
        gate = y.mean((2, 3), keepdim=True)
        return F.relu((x + y) + gate)  # the gate is of another shape


def test_names_and_places() -> None:
    model = under_microscope(Nested())
    assert [(n.id, n.path, n.join) for n in model.nodes.values() if n.join] == [
        ("part.add", "part", "add#1"),
        ("part.add-1", "part", "add#3"),
        ("part.add-2", "part#1", "add#1"),
        ("part.add-3", "part#1", "add#3"),
        ("add", "", "add#8"),
    ]
    assert edges(model)["part.add"] == {"last", "part.a"}
    assert edges(model)["add"] == {"part-1", "last-1"}


@torch.no_grad()
def test_values_are_those_of_the_code() -> None:
    net = Nested()
    model = under_microscope(net)
    found = model.run(IMAGES, list(model.nodes))
    x = net.last(IMAGES)
    calls = [("part.add", "part.add-1"), ("part.add-2", "part.add-3")]
    for call, (first, second) in enumerate(calls):
        a = torch.add(x, net.part.a(x) + net.part.bias)
        assert torch.equal(found[first], a)
        b = (a + 1) + net.part.b(a + 1)
        assert torch.equal(found[second], b)
        x = F.relu(b)
        assert torch.equal(found["part-1" if call else "part"], x)
    assert torch.equal(found["add"], x + net.last(x))
    assert torch.equal(model.run(IMAGES, ["part.add-3"])["part.add-3"], found["part.add-3"])
    assert hooks_of(net) == 0


def test_before_a_relu_and_with_gradients() -> None:
    net = Concatenated()
    model = under_microscope(net)
    x = IMAGES.clone().requires_grad_()
    found = model.run(x, ["cat"], pre_relu=True)["cat"]
    assert torch.equal(found, torch.cat([net.a(x), net.c(x), net.b(x)], 1))
    (slope,) = torch.autograd.grad(found.sum(), x)
    assert slope.abs().sum() > 0


@torch.no_grad()
def test_going_on_from_a_sum() -> None:
    for in_place in (False, True):
        net = Residual() if in_place else Nested.Part()
        model = under_microscope(net)
        node, last = ("add", "relu-1") if in_place else ("add", "output")
        values = torch.randn(1, model.node(node).units, SIZE, SIZE)
        before = values.clone()
        with replaced(model, node, values):
            found = model.run(IMAGES[:1], [last])[last]
        y = values + 1
        expected = F.relu(values) if in_place else F.relu(y + net.b(y))
        assert torch.allclose(found, expected, atol=1e-6)
        assert torch.equal(values, before)


def test_calls_inside_torch_functions_are_not_told() -> None:
    class Listening(JoinCalls):
        heard: tuple[str, ...] = ()

        def joined(self, kind, parts, result):
            self.heard += (kind,)
            return result

    x = torch.rand(2, 3)
    attention = nn.MultiheadAttention(4, 2)
    with Listening() as mode:
        x = x + x
        x += 1
        torch.cat([x, x])
        torch.concat(tensors=[x, x])
        attention(*[torch.rand(5, 1, 4)] * 3)
    assert mode.heard == ("add", "add", "cat", "cat")
