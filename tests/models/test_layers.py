"""The shared layers against torch's own and against computing by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from micrograph.models.layers import ConvReLU, Fire, GlobalAverage, Inception, LocalResponseNorm


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
