"""Running a model up to a node."""

import pytest
import torch
import torch.nn.functional as F
from nets import (
    Concatenated,
    Failing,
    Join,
    Odd,
    Residual,
    Reused,
    conv,
    hooks_of,
    under_microscope,
)
from torch import nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, MicrographError, NotFound
from micrograph.models.model import Model
from micrograph.weights.formats import RawTensor, digest_of

IMAGES = torch.rand(2, 3, 16, 12, generator=torch.Generator().manual_seed(0))


def test_values_are_those_of_the_modules():
    net = Failing()
    model = under_microscope(net)
    found = model.run(IMAGES, ["second", "first"])
    assert list(found) == ["second", "first"]
    assert torch.equal(found["first"], net.first(IMAGES))
    assert torch.equal(found["second"], net.second(net.first(IMAGES)))


def test_stops_behind_the_last_node():
    net = Failing()
    model = under_microscope(net)
    assert list(model.nodes) == ["first", "second", "third"]
    net.broken, net.reached = True, 0
    model.run(IMAGES, ["first", "second"])
    assert net.reached == 0


def test_networks_that_catch_everything_are_stopped_too():
    class Clutching(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = conv(), conv(4)

        def forward(self, x):
            try:
                x = self.first(x)
            except Exception:
                x = torch.zeros(1, 4, 8, 8)
            return self.second(x)

    net = Clutching()
    assert torch.equal(under_microscope(net).run(IMAGES, ["first"])["first"], net.first(IMAGES))


def test_no_hooks_stay_and_foreign_ones_do():
    net = Failing()
    model = under_microscope(net)
    calls = []
    mine = net.first.register_forward_hook(lambda *_: calls.append(1))
    model.run(IMAGES, ["second"])
    net.broken = True
    with pytest.raises(ValueError, match="broken behind second"):
        model.run(IMAGES, ["third"])
    assert hooks_of(net) == 1
    assert len(calls) >= 2
    mine.remove()


def test_overwritten_values_are_those_before():
    net = Residual()
    model = under_microscope(net)
    found = model.run(IMAGES, ["first", "second", "relu-1"])
    assert torch.equal(found["second"], net.second(F.relu(net.first(IMAGES))))
    assert torch.equal(found["relu-1"], F.relu(found["second"] + found["first"]))


def test_calls_of_one_module_apart():
    net = Reused()
    found = under_microscope(net).run(IMAGES, ["shared-1", "shared"])
    once = net.shared(IMAGES)
    assert torch.equal(found["shared"], once)
    assert torch.equal(found["shared-1"], net.shared(once))


def test_before_the_relu():
    net = Join()
    model = under_microscope(nn.Sequential(net, conv(8)))
    a = net.a(IMAGES)
    before = model.run(IMAGES, ["0", "1", "0.a"], pre_relu=True)
    assert torch.equal(before["0.a"], a)
    assert torch.equal(before["0"][:, :4], a)
    # The second branch stands on the first: with both ReLUs off it sees their arguments.
    assert torch.equal(before["0"][:, 4:], net.b(a))
    after = model.run(IMAGES, ["1"])["1"]
    assert torch.equal(before["1"], after)  # the nodes asked for beside do not matter


def test_before_the_relu_of_side_by_side_branches():
    model = under_microscope(nn.Sequential(Concatenated(), nn.ReLU(inplace=True), conv(3)))
    found = model.run(IMAGES, ["1"], pre_relu=True)["1"]
    assert torch.equal(found, model.run(IMAGES, ["0"])["0"])
    assert found.min() < 0


def test_gradients_flow_to_images_and_not_to_weights():
    model = under_microscope(Residual())
    images = IMAGES.clone().requires_grad_()
    model.run(images, ["relu-1"])["relu-1"].sum().backward()
    assert images.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in model.module.parameters())
    assert not model.module.training


def test_preprocessing_is_applied_unless_not():
    net = Failing()
    pre = Preprocessing(size=16, resize=16, scale=255.0, mean=(1.0, 2.0, 3.0), channel_order="BGR")
    model = Model.of(net, id="net", preprocessing=pre)
    by_hand = IMAGES.flip(1) * 255 - torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    assert torch.allclose(model.run(IMAGES, ["first"])["first"], net.first(by_hand), atol=1e-4)
    assert torch.equal(model.run(IMAGES, ["first"], preprocess=False)["first"], net.first(IMAGES))


def test_asked_by_any_spelling():
    model = under_microscope(Reused())
    assert model.run(IMAGES, ["Shared#1"]).keys() == {"Shared#1"}
    assert model.aliases["shared#1"] == "shared-1"


def test_no_nodes_no_pass():
    assert under_microscope(Odd()).run(IMAGES, []) == {}


def test_unknown_nodes_are_named_with_the_nearest():
    with pytest.raises(NotFound, match="unknown node 'secnd' in net; did you mean 'second'"):
        under_microscope(Failing()).run(IMAGES, ["secnd"])


@pytest.mark.parametrize(
    "images", [torch.rand(3, 8, 8), torch.rand(1, 1, 8, 8), torch.zeros(1, 3, 8, 8).byte()]
)
def test_images_of_another_form_are_refused(images):
    with pytest.raises(BadInput, match=r"expected floating-point RGB \[batch, 3, y, x\]"):
        under_microscope(Failing()).run(images, ["first"])


def test_a_graph_that_depends_on_the_input_is_reported():
    class Choosing(nn.Module):
        def __init__(self):
            super().__init__()
            self.small, self.large = conv(), conv()

        def forward(self, x):
            return self.large(x) if x.shape[-1] > 20 else self.small(x)

    model = under_microscope(Choosing())
    assert list(model.nodes) == ["large"]
    with pytest.raises(MicrographError, match="did not reach large"):
        model.run(IMAGES, ["large"])


def test_any_module_has_a_digest():
    net = nn.Linear(2, 1, bias=False)
    net.weight.data[:] = torch.tensor([[1.0, -2.0]])
    pre = Preprocessing(size=8, resize=8)
    model = Model.of(net, id="x", preprocessing=pre, labels=["only"])
    raw = RawTensor("F32", (1, 2), bytes.fromhex("0000803f000000c0"))
    assert model.digest == digest_of({"weight": raw})
    assert (model.id, model.labels, model.device.type) == ("x", ("only",), "cpu")


def test_under_autocast():
    net = Failing().requires_grad_(False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = under_microscope(net).run(IMAGES, ["second"])["second"]
    assert found.dtype == torch.bfloat16


@pytest.mark.parametrize("id", ["", "a/b", "..", "my net"])
def test_an_id_must_fit_into_an_address(id):
    with pytest.raises(BadInput, match="cannot be part of an address"):
        Model.of(nn.Conv2d(3, 1, 1), id=id, preprocessing=Preprocessing(size=8, resize=8))


def test_the_graph_is_found_inside_inference_mode():
    from micrograph.models import load

    with torch.inference_mode():
        inside = load("toytown").nodes
    assert inside == load("toytown").nodes
