"""Fixed attention patterns against the closed form of the value path."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.models.running.attention import FixedPattern


def _by_softmax(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1) @ v


def _by_method(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1) @ v


def _by_keyword(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(query=q, key=k, value=v)


@pytest.mark.parametrize(
    "attend", [_by_softmax, _by_method, _by_keyword, F.scaled_dot_product_attention]
)
def test_gradients_take_the_way_of_values_only(attend) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 4, requires_grad=True)
    plain = attend(x, x, x)
    with FixedPattern():
        fixed = attend(x, x, x)
        (slope,) = torch.autograd.grad(fixed.sum(), x)
    torch.testing.assert_close(fixed, plain)
    pattern = F.softmax(x @ x.transpose(1, 2) / 2, dim=-1).detach()
    torch.testing.assert_close(slope, pattern.transpose(1, 2) @ torch.ones_like(x))
    (full,) = torch.autograd.grad(plain.sum(), x)
    assert not torch.allclose(slope, full)


def test_torchs_own_attention_module() -> None:
    torch.manual_seed(0)
    module = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(1, 6, 8, requires_grad=True)
    out, pattern = module(x, x, x, average_attn_weights=False)
    with FixedPattern():
        fixed, _ = module(x, x, x)
        (slope,) = torch.autograd.grad(fixed[0, 0].sum(), x)
    torch.testing.assert_close(fixed, out)
    value = module.in_proj_weight[16:]  # [head * dimension, input]
    rows = [
        value[4 * h : 4 * h + 4].T @ module.out_proj.weight[:, 4 * h : 4 * h + 4].sum(0)
        for h in range(2)
    ]
    closed = sum(pattern[0, h, 0][:, None] * rows[h] for h in range(2))
    torch.testing.assert_close(slope[0], closed)


def test_nothing_is_left_behind() -> None:
    with FixedPattern():
        pass
    x = torch.randn(3, requires_grad=True)
    assert F.softmax(x, dim=0).requires_grad
