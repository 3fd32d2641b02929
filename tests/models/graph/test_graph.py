"""Finding the graph of networks that were not made for it."""

import pytest
import torch
from nets import (
    SIZE,
    Catching,
    Concatenated,
    Dropping,
    Failing,
    Join,
    Odd,
    Residual,
    Reused,
    conv,
    edges,
    hooks_of,
    under_microscope,
)
from torch import nn

from micrograph.models.graph.watching import watch


def test_residual_addition_in_place():
    model = under_microscope(Residual())
    assert edges(model) == {
        "first": set(),
        "relu": {"first"},
        "second": {"relu"},
        "add": {"second", "first"},
        "relu-1": {"add"},
    }
    assert model.node("relu#1").id == "relu-1"
    assert model.node("relu").relus == (0,)
    assert model.node("relu-1").relus == (1,)
    # "+=" and the ReLU write into what `second` gave; `first` was copied before its ReLU.
    assert {n.id for n in model.nodes.values() if n.overwritten} == {"second", "add"}
    assert model.node("add").kind == "add"
    assert model.node("relu-1").kind == "activation"


def test_functional_concatenation_is_a_node():
    model = under_microscope(Concatenated())
    assert edges(model) == {
        "a": set(),
        "c": set(),
        "b": set(),
        "cat": {"a", "b", "c"},
        "last": {"cat"},
    }
    assert (model.node("cat").units, model.node("cat").kind) == (11, "cat")
    assert model.node("cat").relus == (0, 1)
    assert model.node("last").relus == ()


def test_concatenation_as_a_block_knows_its_relus():
    model = under_microscope(nn.Sequential(Join(), conv(8)))
    assert model.node("0").relus == (0, 1)
    assert model.node("0").kind == "cat"
    assert edges(model) == {"0.a": set(), "0.b": {"0.a"}, "0": {"0.a", "0.b"}, "1": {"0"}}


def test_a_module_called_again_is_another_node():
    model = under_microscope(Reused())
    assert edges(model) == {
        "shared": set(),
        "shared-1": {"shared"},
        "shared-2": {"shared-1"},
    }
    assert [n.path for n in model.nodes.values()] == ["shared", "shared#1", "shared#2"]
    assert [n.receptive_field.size for n in model.nodes.values()] == [3, 5, 7]


def test_dicts_and_tuples_are_followed_through():
    model = under_microscope(Odd())
    assert edges(model) == {"pair.inner": set(), "taking": {"pair.inner"}}
    assert model.node("taking").kind == "add"


def test_what_hands_through_is_no_node_and_the_shortest_name_wins():
    model = under_microscope(Dropping())
    assert list(model.nodes) == ["body.0", "body", "head"]
    assert model.node("body.2.0").id == model.node("body.2").id == "body"
    assert model.node("head").kind == "logits"
    assert model.node("head").shape == ()
    assert model.node("body").shape == (SIZE, SIZE)


def test_functional_output_of_the_network_is_a_node_too():
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv()

        def forward(self, x):
            return self.conv(x).amax((2, 3))

    model = under_microscope(Head())
    assert edges(model) == {"conv": set(), "output": {"conv"}}
    assert model.run(torch.rand(2, 3, 8, 8), ["output"])["output"].shape == (2, 4)


def test_hidden_nodes_are_looked_through():
    from micrograph.models.graph.naming import name_nodes

    values = watch(Residual().eval(), torch.rand(1, 3, 8, 8))
    nodes, _ = name_nodes(values, lambda path: None if path == "relu" else path)
    assert {n.id: n.parents for n in nodes.values()} == {
        "first": (),
        "second": ("first",),
        "add": ("first", "second"),
    }


def test_ids_fit_addresses_and_are_unique():
    from micrograph.address import parse

    net = nn.Sequential()
    for name in ("a b", "a_b", "-c", "ü"):
        net.add_module(name, conv(3, 3))
    model = under_microscope(net)
    assert len(model.nodes) == 4
    for node in model.nodes:
        assert parse(f"net/{node}/1").node == node
    assert model.node("a b").path == "a b"


@pytest.mark.parametrize("failing", ["plain", "caught"])
def test_errors_leave_no_hooks(failing):
    if failing == "caught":
        net = Catching()
        assert list(under_microscope(net).nodes) == ["after"]
    else:
        net = Failing()
        net.broken = True
        with pytest.raises(ValueError, match="broken behind second"):
            watch(net, torch.rand(1, 3, 8, 8))
    assert hooks_of(net) == 0


def test_watching_changes_nothing():
    net = Residual().eval()
    x = torch.rand(1, 3, 8, 8)
    before = net(x)
    state = torch.random.get_rng_state()
    watch(net, x)
    assert torch.equal(net(x), before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert hooks_of(net) == 0


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (nn.Conv2d(3, 3, 1), "conv"),
        (nn.MaxPool2d(2), "pool"),
        (nn.BatchNorm2d(3), "norm"),
        (nn.LocalResponseNorm(3), "norm"),
        (nn.GELU(), "activation"),
        (nn.Upsample(scale_factor=2), "other"),
    ],
)
def test_kinds(module, kind):
    assert next(iter(under_microscope(nn.Sequential(module, conv())).nodes.values())).kind == kind
