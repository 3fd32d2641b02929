"""The shared layers against torch's own and against computing by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from micrograph.networks.layers import (
    ConvReLU,
    Fire,
    Flatten,
    GlobalAverage,
    Halves,
    Inception,
    LinearReLU,
    LocalResponseNorm,
    SameConvReLU,
    SamePool,
    ShiftedReLU,
)


def activations(units: int = 24, scale: float = 100.0) -> torch.Tensor:
    g = torch.Generator().manual_seed(1)
    return torch.randn(2, units, 9, 7, generator=g, dtype=torch.float32).relu() * scale


@pytest.mark.parametrize("size", [3, 5, 11])
@pytest.mark.parametrize("k", [1.0, 2.0])
def test_norm_equals_torchs(size, k):
    x = activations()
    expected = F.local_response_norm(x, size, alpha=1e-2, beta=0.75, k=k)
    found = LocalResponseNorm(24, size, alpha=1e-2, k=k)(x)
    assert torch.allclose(found, expected, rtol=2e-6, atol=1e-6)


def test_norm_has_torchs_gradient():
    x = activations().double().requires_grad_()
    layer = LocalResponseNorm(24, alpha=1e-2).double()
    weights = torch.arange(x.numel()).reshape(x.shape).double().sin()
    found = torch.autograd.grad((layer(x) * weights).sum(), x)[0]
    expected = torch.autograd.grad(
        (F.local_response_norm(x, 5, 1e-2, 0.75, 1.0) * weights).sum(), x
    )[0]
    assert torch.allclose(found, expected, rtol=1e-9)


def test_norm_under_bf16_and_fp16_stays_close():
    x = activations(scale=3000.0)  # squares would overflow half precision
    layer = LocalResponseNorm(24)
    expected = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(x.bfloat16())
    assert (found - expected).abs().max() < 0.02 * expected.max()
    half = layer.half()(x.half())
    assert half.isfinite().all()
    assert (half - expected).abs().max() < 0.01 * expected.max()


def test_norm_keeps_channels_last():
    x = activations().contiguous(memory_format=torch.channels_last)
    y = LocalResponseNorm(24)(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(y, F.local_response_norm(x, 5, 1e-4, 0.75, 1.0), rtol=2e-6)


def test_norm_is_no_part_of_the_weights():
    assert LocalResponseNorm(8).state_dict() == {}


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_conv_keeps_the_size_and_is_never_negative(kernel):
    y = ConvReLU(4, 6, kernel)(torch.randn(1, 4, 11, 8))
    assert y.shape == (1, 6, 11, 8)
    assert y.min() >= 0


def test_inception_is_its_branches_side_by_side():
    block = Inception(10, (2, 3, 4, 5, 6, 7))
    x = torch.randn(2, 10, 9, 9)
    y = block(x)
    part = {name: block.get_submodule(name) for name, _ in block.named_children()}
    assert y.shape[1] == block.outputs == 2 + 4 + 6 + 7
    assert torch.equal(y[:, :2], part["1x1"](x))
    assert torch.equal(y[:, 2:6], part["3x3"](part["3x3_reduce"](x)))
    assert torch.equal(y[:, 6:12], part["5x5"](part["5x5_reduce"](x)))
    assert torch.equal(y[:, 12:], part["pool_proj"](F.max_pool2d(x, 3, 1, 1)))


def test_fire_is_two_expansions_of_one_squeeze():
    block = Fire(10, 3, 4)
    x = torch.randn(2, 10, 9, 9)
    squeezed = block.squeeze1x1(x)
    both = torch.cat((block.expand1x1(squeezed), block.expand3x3(squeezed)), 1)
    assert torch.equal(block(x), both)


def test_global_average():
    x = torch.randn(2, 3, 5, 7)
    assert torch.allclose(GlobalAverage()(x), nn.AdaptiveAvgPool2d(1)(x)[:, :, 0, 0])


# What TensorFlow 2.21 computed: padding SAME on maps 0, 1, 2, ... of these sides.
SAME = {  # side: sums of 7x7/2 at the first, last, and top right place; least of -maxima; their sum
    14: (750.0, 2760.0, 790.0, -180.0, -4410.0),
    15: (384.0, 3200.0, 560.0, -208.0, -6272.0),
    16: (850.0, 3672.0, 910.0, -238.0, -7616.0),
    17: (432.0, 4176.0, 640.0, -270.0, -10368.0),
}


@pytest.mark.parametrize("side", SAME)
def test_padding_is_tensorflows(side):
    first, last, right, least, total = SAME[side]
    x = torch.arange(side * side, dtype=torch.float32).view(1, 1, side, side)
    conv = SameConvReLU(1, 1, 7, stride=2)
    nn.init.ones_(conv.weight)
    nn.init.zeros_(conv.bias)
    y = conv(x)[0, 0]
    assert y.shape == (-(-side // 2), -(-side // 2))
    assert (y[0, 0], y[-1, -1], y[0, -1]) == (first, last, right)
    pooled = SamePool()(-x)[0, 0]
    assert pooled.shape == y.shape
    assert (pooled.min(), pooled.sum()) == (least, total)


def test_norms_are_tensorflows():
    x = torch.arange(1.0, 21).view(1, 20, 1, 1) * 3
    google = LocalResponseNorm(20, size=11, alpha=11e-4, k=2.0, beta=0.5)(x).flatten()
    alexnet = LocalResponseNorm(20, size=5, alpha=5e-5)(x).flatten()
    # radius 5, alpha 1e-4, beta 0.5, bias 2; then radius 2, alpha 1e-5, beta 0.75, bias 1
    expected = torch.tensor([2.0791762, 4.1149983, 17.0691662, 23.3204880, 31.3218784])
    assert torch.allclose(google[[0, 1, 9, 15, 19]], expected, rtol=1e-6)
    expected = torch.tensor([2.9971681, 5.9878788, 29.0070553, 46.5037117, 55.9504166])
    assert torch.allclose(alexnet[[0, 1, 9, 16, 19]], expected, rtol=1e-6)


def test_norm_with_a_root_equals_torchs():
    x = activations()
    expected = F.local_response_norm(x, 11, alpha=11e-4, beta=0.5, k=2.0)
    found = LocalResponseNorm(24, 11, alpha=11e-4, k=2.0, beta=0.5)(x)
    assert torch.allclose(found, expected, rtol=2e-6, atol=1e-6)
    with pytest.raises(ValueError, match="beta"):
        LocalResponseNorm(24, beta=0.6)


def test_halves_are_a_grouped_convolution():
    halves = Halves(6, 8, 5)
    weight = torch.cat((halves.a.weight, halves.b.weight))
    layer = ShiftedReLU(halves, 8)
    nn.init.normal_(layer.shift.bias)
    x = torch.randn(2, 6, 9, 7)
    expected = F.conv2d(x, weight, layer.shift.bias, padding=2, groups=2).relu()
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_flattening_gives_its_size():
    assert torch.equal(Flatten(2)(torch.arange(8.0).view(1, 2, 2, 2))[0], torch.arange(8.0))
    large = torch.tensor([[1.0, 3, 5, 7], [1, 3, 5, 7]]).view(1, 1, 2, 4)
    assert Flatten(2)(large).tolist() == [[2, 6, 2, 6]]
    assert Flatten(2)(torch.tensor([[4.0]]).view(1, 1, 1, 1)).tolist() == [[4, 4, 4, 4]]
    assert LinearReLU(3, 2)(torch.randn(5, 3)).min() >= 0
