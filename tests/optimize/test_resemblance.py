import numpy as np
import torch
from torch import nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.models.model import Model
from micrograph.optimize import Settings, optimize
from micrograph.optimize.resemblance import PairedImage, resemblance


def model() -> Model:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())
    return Model.of(net, id="net", preprocessing=Preprocessing(size=16, resize=16))


def test_it_is_product_times_cosine_of_the_activations() -> None:
    net = model()
    images = torch.rand(3, 6, 16, 16)
    a = net.run(images[:, :3], ["1"])["1"].flatten(1)
    b = net.run(images[:, 3:], ["1"])["1"].flatten(1)
    dot, cosine = (a * b).sum(1), torch.cosine_similarity(a, b)
    for power in (0.0, 1.0, 3.0):
        objective = resemblance(net, "1", cosine_power=power)
        value = objective.value({"1": a.view(3, 6, 14, 14)}, images)
        torch.testing.assert_close(value, dot * cosine**power, rtol=1e-3, atol=1e-3)


def test_no_gradient_goes_to_the_source() -> None:
    net, images = model(), torch.rand(1, 6, 16, 16, requires_grad=True)
    seen = net.run(images[:, :3], ["1"])
    (grad,) = torch.autograd.grad(resemblance(net, "1").value(seen, images).sum(), images)
    assert (grad[:, :3] != 0).any()
    assert (grad[:, 3:] == 0).all()


def test_the_source_goes_along_and_the_picture_comes_to_look_like_it() -> None:
    net = model()
    source = torch.zeros(3, 32, 32)
    source[:2, 8:24, 16:] = 1
    image = PairedImage(source)
    start = image.image(image.start([np.random.default_rng(0)]))
    assert image.size == 32
    assert torch.equal(start[0, 3:], source)
    assert torch.equal(image.shown(start, None), start[:, :3])
    done = optimize(
        net,
        resemblance(net, "1", cosine_power=4.0),
        Settings(size=32, precision="fp32"),
        parameterization=image,
    )
    assert torch.equal(done.layers[0], source)

    def likeness(other: torch.Tensor) -> float:
        both = net.run(torch.stack([done.images[0], other]), ["1"])["1"].flatten(1)
        return torch.cosine_similarity(both[0], both[1], dim=0).item()

    assert likeness(source) > 0.8
    assert likeness(source) > likeness(source.flip(2)) + 0.05
