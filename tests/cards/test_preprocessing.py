"""What a network gets of a picture, and what it cannot get."""

import numpy as np
import pytest
import torch
from nets import conv
from PIL import Image
from torch import nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput
from micrograph.models.model import Model

GREY = Preprocessing(size=16, resize=16, channel_order="L", mean=(0.5,), std=(0.25,))


def test_grey_is_as_pillow_makes_it() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    images = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
    grey = (GREY.apply(images) * 0.25 + 0.5)[0, 0] * 255
    expected = np.asarray(Image.fromarray(pixels).convert("L"), dtype=np.float32)
    assert np.abs(grey.numpy() - expected).max() <= 0.6, "Pillow rounds"
    whole = Preprocessing(size=16, resize=16, scale=255.0, channel_order="L")
    assert torch.allclose(whole.apply(images)[0, 0], grey, atol=1e-3)


def test_a_grey_network() -> None:
    net = nn.Sequential(conv(1, 4), nn.ReLU())
    model = Model.of(net, id="grey", preprocessing=GREY)
    assert {n.id: n.units for n in model.nodes.values()} == {"0": 4, "1": 4}
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    found = model.run(images, ["1"])["1"]
    assert torch.allclose(found, net(GREY.apply(images)))
    (slope,) = torch.autograd.grad(found.sum(), images)
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    assert torch.allclose(slope, slope.sum(1, keepdim=True) * luma, atol=1e-5)
    ready = torch.rand(1, 1, 16, 16)
    assert torch.equal(model.run(ready, ["1"], preprocess=False)["1"], net(ready))
    with pytest.raises(BadInput, match=r"expected floating-point \[batch, 1, y, x\]"):
        model.run(images, ["1"], preprocess=False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"channel_order": "RGBA"}, "pictures are RGB.*wrap the network"),
        ({"channel_order": "RRB"}, "expected 'RGB' in any order"),
        ({"size": 0, "resize": 0}, "size 0 and resize 0 given; say how many pixels"),
        ({"mean": (0.1, 0.2)}, "mean has 2 values, expected 3"),
        ({"channel_order": "L", "std": (0.1, 0.2, 0.3)}, "std has 3 values, expected 1"),
    ],
)
def test_inputs_that_cannot_be(wrong: dict[str, object], said: str) -> None:
    preprocessing = Preprocessing(**{"size": 16, "resize": 16} | wrong)
    with pytest.raises(BadInput, match=said) as error:
        Model.of(nn.Sequential(conv()), id="net", preprocessing=preprocessing)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("net", [conv(4), conv(1), nn.Linear(7, 2)], ids=["four", "one", "flat"])
def test_networks_that_take_something_else(net: nn.Module) -> None:
    model = Model.of(net, id="net", preprocessing=Preprocessing(size=16, resize=16))
    said = r"net cannot run on pictures \[1, 3, 16, 16\].*wrap it"
    with pytest.raises(BadInput, match=said) as error:
        model.nodes  # noqa: B018
    assert "\n" not in str(error.value)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
