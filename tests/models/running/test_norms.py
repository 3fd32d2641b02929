"""Gradients through norms, for one picture as for two."""

import nets
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.models.running.norms import right_norm_gradients

LAYOUTS = ["contiguous", "channels_last", "transposed map", "odd first stride"]


def laid_out(values: Tensor, layout: str) -> Tensor:
    """`values` [1, unit, ...] with the same numbers in another order of memory."""
    if layout == "contiguous" or values.ndim < 4:
        return values.clone()
    if layout == "transposed map":
        return values.transpose(-1, -2).contiguous().transpose(-1, -2)
    last = values.movedim(1, -1).contiguous().movedim(-1, 1)
    if layout == "channels_last":
        return last
    # As it comes back from tokens: what steps there are along an axis of one says nothing.
    return last.as_strided(last.shape, (last.shape[1], *last.stride()[1:]))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["batch", "live", "instance", "functional"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("input_layout", LAYOUTS)
def test_they_are_those_in_double_precision(axes: int, kind: str, layout: str, input_layout: str):
    torch.manual_seed(0)
    name = f"{'InstanceNorm' if kind == 'instance' else 'BatchNorm'}{axes}d"
    norm = getattr(nn, name)(4, affine=True, track_running_stats=kind in ("batch", "functional"))
    norm.eval().requires_grad_(False)
    nn.init.uniform_(norm.weight, 0.5, 2)
    if norm.running_var is not None:
        nn.init.uniform_(norm.running_var, 0.5, 2)

    def through(x: Tensor) -> Tensor:
        if kind != "functional":
            return norm.to(x.dtype)(x)
        own = [t.to(x.dtype) for t in (norm.running_mean, norm.running_var, norm.weight, norm.bias)]
        return F.batch_norm(x, *own)

    shape = (1, 4, *[5, 6, 3][:axes])
    x, arriving = torch.randn(shape), torch.randn(shape)
    exact = x.double().requires_grad_(True)
    (expected,) = torch.autograd.grad(through(exact), exact, arriving.double())
    x = laid_out(x, input_layout).requires_grad_(True)
    with right_norm_gradients():
        value = through(x)
    (found,) = torch.autograd.grad(value, x, laid_out(arriving, layout))
    assert torch.allclose(found, expected.float(), atol=1e-5)


class Tokens(nn.Module):
    """A convolutional stem, tokens, and a map again, as LeViT, EfficientFormer and XCiT have it."""

    def __init__(self, norm: type[nn.Module]) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 3, 2, 1), norm(6)
        self.mix = nn.Linear(6, 6)
        self.local, self.again = nn.Conv2d(6, 6, 3, padding=1, groups=6), norm(6)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        maps = F.hardswish(self.norm(self.stem(x)))
        tokens = self.mix(maps.flatten(2).transpose(1, 2))
        back = tokens.transpose(1, 2).reshape(maps.shape)
        local = self.again(self.local(back)).flatten(2).transpose(1, 2)
        return self.head((tokens + local).mean(1))


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, nn.InstanceNorm2d])
@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_of_one_picture_is_that_in_a_batch_of_two(norm, form):
    torch.manual_seed(0)
    model = nets.under_microscope(Tokens(norm))
    for buffer in model.module.buffers():
        if buffer.ndim == 1:
            nn.init.uniform_(buffer, 0.5, 2)
    pictures = torch.rand(2, 3, 32, 32)
    weights = torch.randn(6)

    def gradient(batch: Tensor, node: str) -> Tensor:
        x = batch.contiguous(memory_format=form).requires_grad_(True)
        values = model.run(x, [node])[node][0]
        return torch.autograd.grad((values.flatten(1).T.square() * weights).sum(), x)[0][0]

    for node in ("mix", "local", "norm"):
        alone, beside = gradient(pictures[:1], node), gradient(pictures, node)
        assert (alone - beside).norm() < 1e-3 * beside.norm(), node
