"""Weights through single heads of attention, against their matrices."""

import pytest
import torch
from linear_nets import Attending
from nets import under_microscope
from torch import Tensor, nn

import micrograph
from micrograph import load
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.organisms.toytown_vit.network import HEADS


class Whole(Attending):
    """Attention as one function of torch."""

    def between(self, x: Tensor) -> Tensor:
        t = x.flatten(2).mT
        t = self.whole(t, t, t, need_weights=False)[0]
        return t.mT.reshape(x.shape)


def value_and_output(net: Whole, head: int) -> Tensor:
    """[target, source]: the last layer, the output and the values of one head."""
    part = slice(2 * head, 2 * head + 2)
    last = net.c.weight[:, :, 0, 0]
    whole = net.whole
    return last @ whole.out_proj.weight[:, part] @ whole.in_proj_weight[8:][part]


def test_values_and_output_of_a_head() -> None:
    torch.manual_seed(0)
    net = Whole()
    model = under_microscope(net, 8)
    for head in (0, 1):
        found = micrograph.weights(model, "first", "c", heads=head)
        assert found.kernels.shape == (6, 4, 1, 1)
        assert (found.position, found.exact, found.heads) == (None, False, (head,))
        wanted = value_and_output(net, head)
        assert torch.allclose(found.kernels[:, :, 0, 0], wanted, rtol=1e-5, atol=1e-6)


def heads_add_up(model: Model, source: str, target: str, picture: Tensor, count: int) -> None:
    asked = {"reference": picture, "units": range(4)}
    every = micrograph.weights(model, source, target, **asked).kernels
    each = [
        micrograph.weights(model, source, target, heads=n, **asked).kernels for n in range(count)
    ]
    near = {"rtol": 1e-4, "atol": 1e-5 * float(every.abs().max())}
    assert torch.allclose(sum(each), every, **near)
    assert not torch.allclose(each[0], every, rtol=1e-2, atol=near["atol"])
    together = micrograph.weights(model, source, target, heads=range(count), **asked).kernels
    assert torch.allclose(together, every, **near)


def test_heads_add_up_on_a_reference() -> None:
    torch.manual_seed(0)
    heads_add_up(under_microscope(Whole(), 8), "first", "c", torch.rand(3, 8, 8), 2)


def test_heads_in_plain_code_add_up() -> None:
    nodes = "blocks.1.norm1", "blocks.1.attention"
    heads_add_up(load("toytown_vit"), *nodes, torch.rand(3, 96, 96), HEADS)


def test_a_block_of_a_transformer() -> None:
    model = load("toytown_vit")
    block: nn.Module = model.module.get_submodule("blocks.1.attention")
    found = micrograph.weights(model, "blocks.1.norm1", "blocks.1.attention", heads=2)
    qkv, out = (p.detach() for n, p in block.named_parameters() if n.endswith("weight"))
    wide = found.kernels.shape[0]
    part = slice(2 * wide // HEADS, 3 * wide // HEADS)
    assert torch.allclose(
        found.kernels[:, :, 0, 0], out[:, part] @ qkv[2 * wide :][part], rtol=1e-4, atol=1e-5
    )


class OneByOne(Whole):
    """Two heads in a loop, each with a pattern of its own."""

    def between(self, x: Tensor) -> Tensor:
        t = x.flatten(2).mT
        halves = zip(self.q(t).chunk(2, -1), self.v(t).chunk(2, -1), strict=True)
        t = torch.cat([(q @ q.mT).softmax(-1) @ v for q, v in halves], -1)
        return t.mT.reshape(x.shape)


def test_heads_that_cannot_be_told_apart_are_refused() -> None:
    model, picture = under_microscope(OneByOne(), 8), torch.rand(3, 8, 8)
    assert micrograph.weights(model, "first", "c", reference=picture).kernels.any()
    for options in ({}, {"reference": picture}):
        with pytest.raises(BadInput, match="2 patterns one by one: which of them is which head"):
            micrograph.weights(model, "first", "c", heads=0, **options)


def test_bad_heads() -> None:
    model = load("toytown_vit")
    with pytest.raises(BadInput, match=r"no attention lies between patches and blocks.0.norm1"):
        micrograph.weights(
            model, "patches", "blocks.0.norm1", heads=0, reference=torch.rand(3, 96, 96)
        )
    with pytest.raises(BadInput, match="head 99 given; expected one of the"):
        micrograph.weights(model, "blocks.1.norm1", "blocks.1.attention", heads=99)
    with pytest.raises(BadInput, match="heads '-1' given"):
        micrograph.weights(model, "blocks.1.norm1", "blocks.1.attention", heads=-1)
