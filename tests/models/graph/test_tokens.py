"""Streams of tokens and maps with their units last, against what the networks do by hand."""

import math

import pytest
import torch
from nets import SIZE, ChannelsLast, Tokens, hooks_of, under_microscope
from torch import Tensor, nn

from micrograph.errors import BadInput
from micrograph.models.layout import OutputLayout
from micrograph.models.model import Model
from micrograph.models.replacing import replaced

IMAGES = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def model() -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return under_microscope(Tokens())


def stream(net: Tokens, images: Tensor, blocks: int) -> Tensor:
    """[batch, token, unit] behind that many blocks, without asking the graph."""
    x = net.patches(images).flatten(2).transpose(1, 2) + net.pos_embed
    first = [t.expand(len(x), -1, -1) for t in (net.cls_token, net.reg_token)]
    x = torch.cat([*first, x], 1)
    for block in list(net.blocks)[:blocks]:
        x = block(x)
    return x


@torch.no_grad()
def test_positions_and_the_class_token_of_a_stream(model: Model) -> None:
    found = model.run(IMAGES, ["blocks.0", "blocks.0.class", "blocks.1.mlp.1", "head"])
    tokens = stream(model.module, IMAGES, 1)
    by_hand = torch.stack(
        [torch.stack([tokens[:, 2 + 4 * y + x] for x in range(4)], 2) for y in range(4)], 2
    )
    assert torch.equal(found["blocks.0"], by_hand)
    assert torch.equal(found["blocks.0.class"], tokens[:, 0])
    assert found["blocks.1.mlp.1"].shape == (2, 24, 4, 4)
    assert torch.equal(found["head"], model.module(IMAGES))


def test_what_is_known_of_them(model: Model) -> None:
    node, token = model.node("blocks.0"), model.node("blocks.0.class")
    assert (node.units, node.shape, node.kind) == (12, (4, 4), "block")
    assert node.layout == OutputLayout("btu", 2)
    assert (token.units, token.shape, token.kind) == (12, (), "token")
    assert token.layout == OutputLayout("btu", 2, 0)
    assert node.parents == ("blocks.0.add", "blocks.0.mlp")
    assert token.parents == ("blocks.0.add.class", "blocks.0.mlp.class")
    assert model.node("head").parents == ("norm.class",)
    assert model.node("blocks.0.add.class").parents == ("blocks.0.attn.class",), "and no patches"
    mixed = ("blocks.1.attn.qkv", "blocks.1.attn.qkv.class")
    assert model.node("blocks.1.attn").parents == mixed
    assert model.node("blocks.1.attn.class").parents == mixed
    assert not any("register" in id for id in model.nodes)


def test_insides_of_attention_are_no_nodes(model: Model) -> None:
    assert {id for id in model.nodes if ".attn" in id and "blocks.1" in id} == {
        "blocks.1.attn",
        "blocks.1.attn.class",
        "blocks.1.attn.qkv",
        "blocks.1.attn.qkv.class",
    }
    assert model.node("blocks.1.attn.qkv").kind == "attention"


def test_fields_are_patches_until_attention(model: Model) -> None:
    for name in ("patches", "blocks.0.norm1", "blocks.0.attn.qkv"):
        field = model.node(name).receptive_field
        assert (field.size, field.stride, field.start, field.status) == (8, 8, 0, "exact")
        assert f"{name}.class" not in model.nodes, "it has not seen the picture yet"
        x = IMAGES.clone().requires_grad_()
        (slope,) = torch.autograd.grad(model.run(x, [name])[name][:, :, 1, 2].sum(), x)
        rows, columns = slope.abs().sum((0, 1)).nonzero().T
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 15, 16, 23)
    for name in ("blocks.0.attn", "blocks.0.class", "norm"):
        assert model.node(name).receptive_field.status == "whole input"


def test_gradients_between_nodes(model: Model) -> None:
    """What is captured on the way is on the way."""
    x = IMAGES.clone().requires_grad_()
    names = ["blocks.0", "blocks.0.class", "blocks.1.class"]
    found = model.run(x, names)
    weights = torch.randn(2, 12, generator=torch.Generator().manual_seed(1))
    answer = (found["blocks.1.class"] * weights).sum()
    positions, token = torch.autograd.grad(answer, [found[n] for n in names[:2]])
    tokens = stream(model.module, IMAGES, 1).detach().requires_grad_()
    (expected,) = torch.autograd.grad(
        (list(model.module.blocks)[1](tokens)[:, 0] * weights).sum(), tokens
    )
    assert torch.allclose(positions.flatten(2).transpose(1, 2), expected[:, 2:], atol=1e-5)
    assert torch.allclose(token, expected[:, 0], atol=1e-5)
    assert hooks_of(model.module) == 0


@torch.no_grad()
@pytest.mark.parametrize("batch", [1, 3])
def test_going_on_from_other_tokens(model: Model, batch: int) -> None:
    picture = IMAGES[:1]
    tokens = stream(model.module, picture, 1)
    rest = list(model.module.blocks)[1]
    values = torch.randn(batch, 12, 4, 4)
    changed = tokens.repeat(batch, 1, 1)
    changed[:, 2:] = values.flatten(2).transpose(1, 2)
    with replaced(model, "blocks.0", values):
        assert torch.allclose(
            model.run(picture, ["blocks.1.class"])["blocks.1.class"], rest(changed)[:, 0], atol=1e-5
        )
    token = torch.randn(batch, 12)
    changed = tokens.repeat(batch, 1, 1)
    changed[:, 0] = token
    with replaced(model, "blocks.0.class", token):
        found = model.run(picture, ["blocks.1"])["blocks.1"]
    assert torch.allclose(found.flatten(2).transpose(1, 2), rest(changed)[:, 2:], atol=1e-5)


def test_pictures_of_another_size() -> None:
    net = Tokens()
    net.pos_embed = nn.Parameter(torch.zeros(1, 1, 12))  # fits any number of positions
    model = under_microscope(net)
    images = torch.rand(1, 3, 16, 48)
    with torch.no_grad():
        wide = model.run(images, ["blocks.0"])["blocks.0"]
        assert wide.shape == (1, 12, 2, 6)
        assert torch.equal(wide[0, :, 1, 2], stream(net, images, 1)[0, 2 + 6 + 2])


def test_tokens_that_make_no_grid_are_reported() -> None:
    class Dropping(nn.Module):
        """Takes fewer tokens of larger pictures."""

        def __init__(self):
            super().__init__()
            self.patches, self.wide = nn.Conv2d(3, 6, 8, 8), nn.Linear(6, 8)

        def forward(self, x):
            return self.wide(self.patches(x).flatten(2).transpose(1, 2)[:, :17]).mean(1)

    model = under_microscope(Dropping())
    with pytest.raises(BadInput, match="wide has 17 tokens on pictures of 64 x 64"):
        model.run(torch.rand(1, 3, 64, 64), ["wide"])


def test_units_that_lie_last() -> None:
    net = ChannelsLast()
    model = under_microscope(net)
    assert {n.id: (n.units, n.shape) for n in model.nodes.values()} == {
        "stem": (6, (8, 8)),
        "norm": (6, (8, 8)),
        "wide": (10, (8, 8)),
        "act": (10, (8, 8)),
        "narrow": (6, (8, 8)),
        "add": (6, (8, 8)),
        "head": (3, ()),
    }
    with torch.no_grad():
        found = model.run(IMAGES, list(model.nodes))
        stem = net.stem(IMAGES)
        wide = net.wide(net.norm(stem.permute(0, 2, 3, 1)))
        assert torch.equal(found["wide"], wide.permute(0, 3, 1, 2))
        assert torch.equal(found["add"], found["stem"] + found["narrow"])
        values = torch.randn(1, 10, 8, 8)
        with replaced(model, "wide", values):
            found = model.run(IMAGES[:1], ["act"])["act"]
        assert torch.allclose(found, nn.functional.gelu(values), atol=1e-6)
    assert model.node("act").receptive_field == model.node("stem").receptive_field


@torch.no_grad()
@pytest.mark.parametrize("batch_first", [True, False])
def test_torchs_own_layers_also_with_the_tokens_first(batch_first: bool) -> None:
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = nn.Conv2d(3, 12, 8, 8)
            self.class_embedding = nn.Parameter(torch.randn(12))
            self.layer = nn.TransformerEncoderLayer(12, 3, 20, batch_first=batch_first)
            self.head = nn.Linear(12, 5)

        def forward(self, x):
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat([self.class_embedding.expand(len(x), 1, 12), x], 1)
            if batch_first:
                return self.head(self.layer(x)[:, 0])
            return self.head(self.layer(x.transpose(0, 1))[0])

    net = Net()
    model = under_microscope(net)
    assert model.node("layer").layout == OutputLayout("btu" if batch_first else "tbu", 1)
    assert model.node("head").parents == ("layer.class",)
    found = model.run(IMAGES, ["layer", "layer.class", "layer.linear1", "head"])
    x = net.patches(IMAGES).flatten(2).transpose(1, 2)
    x = torch.cat([net.class_embedding.expand(2, 1, 12), x], 1)
    expected = net.layer(x) if batch_first else net.layer(x.transpose(0, 1)).transpose(0, 1)
    assert torch.allclose(found["layer"].flatten(2).transpose(1, 2), expected[:, 1:], atol=1e-5)
    assert torch.allclose(found["layer.class"], expected[:, 0], atol=1e-5)
    assert found["layer.linear1"].shape == (2, 20, 4, 4)
    assert torch.allclose(found["head"], net(IMAGES), atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model.run(IMAGES, ["layer.linear2"])["layer.linear2"]
    assert half.dtype == torch.bfloat16
    assert half.shape == (2, 12, 4, 4)


@pytest.mark.parametrize("mixing", ["positions", "a part", "unknown"])
def test_no_node_rather_than_a_wrong_one(mixing: str) -> None:
    class Mixing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.odd, self.mix = nn.Conv2d(3, 6, 8, 8), nn.Identity(), nn.Linear(16, 9)

        def forward(self, x):
            x = self.conv(x).flatten(2)  # [batch, unit, 16 positions]
            if mixing == "positions":
                x = self.mix(x)
            elif mixing == "a part":
                x = self.odd(x[:, :, :5].clone())
            else:
                x = self.odd(torch.fft.rfft(x, dim=2).real.contiguous())
            return x.sum(2)

    assert list(under_microscope(Mixing()).nodes) == ["conv", "output"]


@pytest.mark.parametrize(
    ("layout", "shape", "grid"),
    [
        (OutputLayout("bu"), (2, 5), ()),
        (OutputLayout("buyx"), (2, 5, 3, 4), ()),
        (OutputLayout("byxu"), (2, 3, 4, 5), ()),
        (OutputLayout("btu"), (2, 12, 5), (3, 4)),
        (OutputLayout("btu", 2), (2, 14, 5), (3, 4)),
        (OutputLayout("tbu", 1), (13, 2, 5), (3, 4)),
        (OutputLayout("but"), (2, 5, 12), (3, 4)),
        (OutputLayout("tbu", 3, 1), (15, 2, 5), ()),
    ],
)
def test_shown_and_back(
    layout: OutputLayout, shape: tuple[int, ...], grid: tuple[int, ...]
) -> None:
    raw = torch.arange(math.prod(shape)).float().reshape(shape)
    shown = layout.shown(raw, grid)
    assert shown.shape[:2] == (2, 5)
    assert shown.ndim == (2 if layout.axes == "bu" or layout.token is not None else 4)
    assert shown.untyped_storage().data_ptr() == raw.untyped_storage().data_ptr(), "a view"
    assert torch.equal(layout.given(shown, raw), raw)
    changed = layout.given(shown + 1000, raw)
    assert (changed != raw).sum() == shown.numel()
    assert torch.equal(layout.shown(changed, grid), shown + 1000)
