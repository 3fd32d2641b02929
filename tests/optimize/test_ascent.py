"""A step's gradient is autograd's own, whatever is done to have it sooner."""

import pytest
import torch
from torch import Tensor, nn

from micrograph.models.model import Model
from micrograph.networks.layers import ConvReLU, LocalResponseNorm
from micrograph.optimize import Settings, channel, total_variation
from micrograph.optimize import ascent as room
from micrograph.optimize.ascent import Ascent
from micrograph.optimize.frozen_weights import FrozenWeights


def network(off: float = 0.0) -> Model:
    torch.manual_seed(0)
    net = nn.Sequential(
        ConvReLU(3, 16, 5, stride=2),
        LocalResponseNorm(16, alpha=0.5),
        ConvReLU(16, 24, 3),
        nn.MaxPool2d(3, 1, 1),
        ConvReLU(24, 8, 3),
    )
    with torch.no_grad():
        net[4].bias -= off
    return Model.of(net.eval(), id="net", preprocessing="32,-1..1")


def pictures() -> Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_the_gradient_is_autograds() -> None:
    model, images = network(), pictures()
    target = channel("4", [1, 2, 3]) - 0.1 * total_variation()
    values, own, through = Ascent(model, target, "fp32")(images, images, redirected=False)
    leaf = images.clone().requires_grad_(True)
    expected = target.value(model.run(leaf, ["4"]), leaf)
    (-expected.sum()).backward()
    torch.testing.assert_close(values, expected.detach())
    torch.testing.assert_close(own + through, leaf.grad, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("beta", [0.5, 0.75])
def test_response_norms_gradient_by_hand_is_autograds(beta: float) -> None:
    torch.manual_seed(0)
    layer = LocalResponseNorm(24, size=5, alpha=0.3, k=2.0, beta=beta).double()
    x = torch.randn(2, 24, 5, 6, dtype=torch.double, requires_grad=True)
    above = torch.randn(2, 24, 5, 6, dtype=torch.double)
    plain = layer(x)
    with room.gradient_by_hand():
        by_hand = layer(x)
    assert type(by_hand.grad_fn).__name__ == "_NormalizedBackward"
    torch.testing.assert_close(by_hand, plain)
    found, expected = (torch.autograd.grad(y, x, above)[0] for y in (by_hand, plain))
    torch.testing.assert_close(found, expected)


def test_weights_are_cast_once_and_values_stay_to_the_bit() -> None:
    torch.manual_seed(0)
    conv, linear = nn.Conv2d(8, 6, 3).requires_grad_(False), nn.Linear(6, 4).requires_grad_(False)
    x, frozen = torch.randn(2, 8, 7, 7), FrozenWeights()

    def run() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return linear(conv(x).mean((2, 3)))

    expected = run()
    for _ in range(2):
        with frozen:
            assert torch.equal(run(), expected)
    assert len(frozen._kept) == 4
    trained = nn.Conv2d(8, 6, 3)
    with frozen, torch.autocast("cpu", torch.bfloat16):
        trained(x)
    assert len(frozen._kept) == 4, "weights that may change are no copies"


def test_a_unit_that_is_off_is_driven_everywhere_at_first() -> None:
    model, images = network(off=10.0), pictures()
    ascent = Ascent(model, channel("4", [1, 2, 3]), "fp32")
    values, _, through = ascent(images, images, redirected=False)
    assert values.tolist() == [0, 0, 0]
    assert not through.any()
    _, _, through = ascent(images, images, redirected=True)
    leaf = images.clone().requires_grad_(True)
    before = channel("4", [1, 2, 3], pre_relu=True)
    (-before.value(model.run(leaf, ["4"], pre_relu=True), leaf).sum()).backward()
    torch.testing.assert_close(through, leaf.grad, rtol=1e-4, atol=1e-7)


def test_pictures_with_a_gradient_keep_it_where_others_are_blocked() -> None:
    """A ReLU further down that is off for one picture only."""
    net = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1, bias=False))
    with torch.no_grad():
        net[0].weight.fill_(1.0)
        net[0].bias.fill_(-1.0)
        net[2].weight.fill_(1.0)
    model = Model.of(net, id="net", preprocessing="16,0..1")
    images = torch.stack([torch.full((3, 16, 16), 0.1), torch.full((3, 16, 16), 0.9)])
    ascent = Ascent(model, channel("2", [0, 0]), "fp32")
    _, _, plain = ascent(images, images, redirected=False)
    assert not plain[0].any()
    _, _, redirected = ascent(images, images, redirected=True)
    assert (redirected[0] < 0).all()
    assert torch.equal(redirected[1], plain[1])


def test_nothing_of_it_stays() -> None:
    model, images = network(), pictures()
    Ascent(model, channel("4", 1), "fp32")(images, images, redirected=True)
    out = model.run(images.requires_grad_(True), ["1"])["1"]
    assert "Normalized" not in type(out.grad_fn).__name__
    assert all(p.grad is None for p in model.module.parameters())


def test_recipes_of_the_first_revision_are_read_as_they_were_meant() -> None:
    older = {k: v for k, v in Settings(rate=0.1).as_dict().items() if k not in ("settle", "start")}
    settings = Settings.from_dict(older)
    assert (settings.settle, settings.start, settings.rate) == (0.0, 0.01, 0.1)
