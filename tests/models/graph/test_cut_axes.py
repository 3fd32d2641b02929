"""Windows, blocks, rolled and unfolded maps, tokens beside positions and learned queries: that each
value stands where the network has it, and that what is not known is no node."""

import math

import pytest
import torch
import torch.nn.functional as F
from nets import SIZE, under_microscope
from torch import Tensor, nn

from micrograph.errors import BadInput
from micrograph.models.blocks import Blocks
from micrograph.models.layout import OutputLayout
from micrograph.models.model import Model
from micrograph.models.replacing import replaced

IMAGES = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


class Windowed(nn.Module):
    """Works on windows of 4 x 4 positions of a map of 8 x 8, the pictures' windows as a batch."""

    def __init__(self, shift: int = 0, back: bool = True) -> None:
        super().__init__()
        self.patches, self.inside = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 6)
        self.after = nn.LayerNorm(6)
        self.shift, self.back = shift, back

    def windows(self, x: Tensor) -> Tensor:
        b, y, x_, u = x.shape
        return x.view(b, y // 4, 4, x_ // 4, 4, u).transpose(2, 3).reshape(-1, 16, u)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patches(images).permute(0, 2, 3, 1)
        b, y, x_, u = x.shape
        shift = (self.shift, 2 * self.shift)
        x = torch.roll(x, [-s for s in shift], (1, 2))
        x = self.inside(self.windows(x))
        x = x.view(b, y // 4, x_ // 4, 4, 4, u).transpose(2, 3).reshape(b, y, x_, u)
        if self.back:
            x = torch.roll(x, shift, (1, 2))
        return self.after(x)


def follows(model: Model, node: str) -> bool:
    """Whether a bright square in the picture changes the very positions that it covers."""
    dark = torch.full((1, 3, SIZE, SIZE), 0.3)
    rows, columns = model.node(node).shape
    y, x = rows - 2, 1
    bright = dark.clone()
    a, b = SIZE // rows, SIZE // columns
    bright[:, :, y * a : (y + 1) * a, x * b : (x + 1) * b] = 1.0
    with torch.no_grad():
        change = (model.run(bright, [node])[node] - model.run(dark, [node])[node]).abs().sum((0, 1))
    return [tuple(p) for p in change.nonzero().tolist()] == [(y, x)]


@pytest.mark.parametrize("shift", [0, 1])
def test_windows_are_shown_as_the_map_that_they_cut(shift: int) -> None:
    net = Windowed(shift)
    model = under_microscope(net)
    inside = model.node("inside")
    assert (inside.units, inside.shape) == (6, (8, 8))
    assert inside.receptive_field == model.node("patches").receptive_field
    with torch.no_grad():
        found = model.run(IMAGES, ["patches", "inside", "after"])
        by_hand = net.inside(found["patches"].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        assert torch.allclose(found["inside"], by_hand, atol=1e-6)
        assert torch.allclose(
            found["after"], net.after(by_hand.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), atol=1e-5
        )
    assert follows(model, "inside")
    assert model.node("after").parents == ("inside",)
    with pytest.raises(BadInput, match="known for 32 x 32 only"):
        model.run(torch.rand(1, 3, 2 * SIZE, 2 * SIZE), ["inside"])


@torch.no_grad()
@pytest.mark.parametrize("batch", [1, 3])
def test_going_on_from_windows(batch: int) -> None:
    net = Windowed(shift=1)
    model = under_microscope(net)
    values = torch.randn(batch, 6, 8, 8)
    with replaced(model, "inside", values):
        found = model.run(IMAGES[:1].expand(batch, -1, -1, -1), ["after"])["after"]
    expected = net.after(values.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_map_that_stays_rolled_is_shown_in_its_place() -> None:
    model = under_microscope(Windowed(shift=1, back=False))
    assert follows(model, "after")


def test_a_flipped_map_is_shown_in_its_place() -> None:
    class Flipped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.inside = nn.Conv2d(3, 6, 4, 4), nn.LayerNorm(6)

        def forward(self, x: Tensor) -> Tensor:
            return self.inside(torch.roll(self.patches(x).flip(3), 3, 3).permute(0, 2, 3, 1))

    model = under_microscope(Flipped())
    assert follows(model, "inside")
    field = model.node("inside").receptive_field
    assert (field.size, field.stride, field.start) == (4, 4, 0)


def test_a_part_of_a_rolled_map_is_no_node() -> None:
    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.inside = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 6)
            self.conv = nn.Conv2d(6, 6, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.roll(self.patches(x), 3, 3)
            return self.inside(self.conv(x)[:, :, :, 1:5].permute(0, 2, 3, 1)).mean((1, 2))

    assert list(under_microscope(Part()).nodes) == ["patches", "output"]


class Unfolded(nn.Module):
    """The pixels of every patch as tokens of their own, then one token for each patch."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 1)
        self.pixels, self.patches = nn.LayerNorm(6), nn.Linear(6 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.unfold(self.stem(x), 4, stride=4).transpose(1, 2)  # [batch, patch, unit * pixel]
        x = self.pixels(x.reshape(len(x) * 64, 6, 16).transpose(1, 2))
        return self.patches(x.reshape(-1, 64, 6 * 16))


def test_unfolded_pixels_and_their_patches() -> None:
    net = Unfolded()
    model = under_microscope(net)
    assert {n.id: (n.units, n.shape) for n in model.nodes.values()} == {
        "stem": (6, (32, 32)),
        "pixels": (6, (32, 32)),
        "patches": (10, (8, 8)),
    }
    with torch.no_grad():
        found = model.run(IMAGES, ["stem", "pixels", "patches"])
        by_hand = net.pixels(found["stem"].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        assert torch.allclose(found["pixels"], by_hand, atol=1e-5)
        assert torch.equal(found["patches"].flatten(2).transpose(1, 2), net(IMAGES))
    assert follows(model, "pixels")
    assert follows(model, "patches")
    field = model.node("patches").receptive_field
    assert (field.size, field.stride, field.start, field.status) == (4, 4, 0, "exact")


def test_overlapping_windows_are_a_map_of_windows() -> None:
    class Windows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unfold, self.mix = nn.Unfold(3, stride=2, padding=1), nn.Linear(27, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.mix(self.unfold(x).transpose(1, 2))

    model = under_microscope(Windows())
    mix = model.node("mix")
    assert (mix.units, mix.shape) == (5, (16, 16))
    field = mix.receptive_field
    assert (field.size, field.stride, field.start, field.status) == (3, 2, -1, "exact")
    with torch.no_grad():
        unfolded = model.run(IMAGES, ["unfold"])["unfold"]
        assert torch.equal(unfolded[:, 13], IMAGES[:, 1, ::2, ::2]), "the middle of each window"


class Beside(nn.Module):
    """Tokens before and behind the positions; the last token is the class."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.registers = nn.Parameter(torch.randn(1, 2, 8))
        self.cls_token = nn.Parameter(torch.randn(1, 1, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.head = nn.Linear(8, 5)

    def tokens(self, images: Tensor) -> Tensor:
        x = self.patches(images).flatten(2).transpose(1, 2)
        many = len(x), -1, -1
        return torch.cat([self.registers.expand(many), x, self.cls_token.expand(many)], 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.layer(self.tokens(images))[:, -1])


@torch.no_grad()
def test_tokens_behind_the_positions() -> None:
    net = Beside()
    model = under_microscope(net)
    node, token = model.node("layer"), model.node("layer.class")
    assert node.layout == OutputLayout("btu", 2, suffix=1)
    assert token.layout == OutputLayout("btu", 2, -1, suffix=1)
    assert model.node("head").parents == ("layer.class",)
    stream = net.layer(net.tokens(IMAGES))
    found = model.run(IMAGES, ["layer", "layer.class"])
    assert torch.allclose(found["layer"].flatten(2).transpose(1, 2), stream[:, 2:-1], atol=1e-5)
    assert torch.allclose(found["layer.class"], stream[:, -1], atol=1e-5)
    values = torch.randn(2, 8)
    with replaced(model, "layer.class", values):
        assert torch.allclose(model.run(IMAGES, ["head"])["head"], net.head(values), atol=1e-5)


def test_a_query_is_of_one_token() -> None:
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches, self.cls_token = nn.Conv2d(3, 8, 8, 8), nn.Parameter(torch.randn(1, 1, 8))
            self.start = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
            self.q, self.k, self.v, self.proj = (nn.Linear(8, 8) for _ in range(4))

        def forward(self, images: Tensor) -> Tensor:
            x = self.patches(images).flatten(2).transpose(1, 2)
            x = self.start(torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1))
            q, k, v = (
                part(x).unflatten(2, (2, 4)).transpose(1, 2) for part in (self.q, self.k, self.v)
            )
            return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    model = under_microscope(Attending())
    every = {"k", "k.class", "v", "v.class"}
    assert set(model.node("proj").parents) == {"q", *every}
    assert set(model.node("proj.class").parents) == {"q.class", *every}


def test_a_part_of_the_positions_is_no_node() -> None:
    class Some(Beside):
        def __init__(self) -> None:
            super().__init__()
            self.some = nn.Linear(8, 8)

        def forward(self, images: Tensor) -> Tensor:
            return self.some(self.layer(self.tokens(images))[:, 3:]).sum(1)

    assert "some" not in under_microscope(Some()).nodes


class Asking(nn.Module):
    """Learned queries look at the positions; then they are one vector each."""

    def __init__(self, queries: int, way: str) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.latents = nn.Parameter(torch.randn(queries, 8))
        self.q, self.kv, self.proj = nn.Linear(8, 8), nn.Linear(8, 16), nn.Linear(8, 8)
        self.pool = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm, self.way = nn.LayerNorm(8), way

    def forward(self, images: Tensor) -> Tensor:
        x = self.patches(images).flatten(2).transpose(1, 2)
        asked = self.latents.expand(len(x), -1, -1)
        if self.way == "torch":
            return self.norm(self.pool(asked, x, x, need_weights=False)[0])
        heads = 1 if self.way == "one head" else 2
        q, k, v = (
            t.unflatten(2, (heads, -1)).transpose(1, 2)
            for t in (self.q(asked), *self.kv(x).chunk(2, 2))
        )
        if self.way == "fused":
            found = F.scaled_dot_product_attention(q, k, v)
        else:
            found = (q @ k.transpose(2, 3) * q.shape[3] ** -0.5).softmax(-1) @ v
        return self.norm(self.proj(found.transpose(1, 2).flatten(2)))


@pytest.mark.parametrize("way", ["torch", "fused", "by hand", "one head"])
@pytest.mark.parametrize("queries", [1, 3])
def test_learned_queries_are_flat(queries: int, way: str) -> None:
    net = Asking(queries, way)
    model = under_microscope(net)
    norm = model.node("norm")
    assert (norm.units, norm.shape) == (8 * queries, ())
    assert norm.receptive_field.status == "whole input"
    with torch.no_grad():
        found = model.run(IMAGES, ["norm"])["norm"]
        assert torch.allclose(found, net(IMAGES).flatten(1), atol=1e-5), "query after query"
    if way != "torch":
        assert norm.parents == ("proj",)


def test_gathered_tokens_keep_their_class_token_only() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 8, 8, 8)
            self.cls_token = nn.Parameter(torch.randn(1, 1, 8))
            self.layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
            self.register_buffer("kept", torch.tensor([[3, 9, 0, 14], [5, 1, 2, 15]]))

        def tokens(self, images: Tensor) -> Tensor:
            x = self.patches(images).flatten(2).transpose(1, 2)
            kept = self.kept[: len(x)].unsqueeze(2).expand(-1, -1, 8)
            return torch.cat([self.cls_token.expand(len(x), -1, -1), x.gather(1, kept)], 1)

        def forward(self, images: Tensor) -> Tensor:
            return self.layer(self.tokens(images))

    net = Masked()
    model = under_microscope(net)
    assert "layer" not in model.nodes
    assert model.node("layer.class").shape == ()
    with torch.no_grad():
        found = model.run(IMAGES, ["layer.class"])["layer.class"]
        assert torch.allclose(found, net(IMAGES)[:, 0], atol=1e-5)


def test_blocks_and_back() -> None:
    layout = OutputLayout(
        "buyx",
        blocks=Blocks(
            (
                (("y", 2, 3), ("b", 0, 1), ("x", 2, 2)),
                (("u", 2, 5),),
                (("y", 3, 1), ("x", 2, 1)),
                (("u", 5, 1),),
            ),
            moved=((1, 4), (-1, 3)),
        ),
    )
    raw = torch.arange(math.prod((12, 2, 6, 5))).float().reshape(12, 2, 6, 5)
    shown = layout.shown(raw)
    assert shown.shape == (3, 10, 6, 4)
    # Row 2 and column 0 of a map whose position p stands for row p + 4 and for column 3 - p.
    y, x, picture, unit = (2 - 4) % 6, (3 - 0) % 4, 1, 7
    first = (y // 3 * 3 + picture) * 2 + x // 2
    assert shown[picture, unit, 2, 0] == raw[first, unit // 5, y % 3 * 2 + x % 2, unit % 5]
    assert torch.equal(layout.given(shown, raw), raw)
    more = layout.given(shown[:1].expand(5, -1, -1, -1), raw)
    assert more.shape == (20, 2, 6, 5)
