"""Graphs of other people's networks: right units, right positions, right sums."""

import pytest
import torch
from torch import Tensor, nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.graph import worth_seeing
from micrograph.models.model import Model
from micrograph.models.node import Node
from micrograph.models.replacing import replaced
from micrograph.optimize import Settings, channel, optimize
from micrograph.runner.select import choose_nodes

SMALL_CONVNEXT = {"depths": (1, 1, 1, 1), "dims": (10, 12, 14, 18)}
SMALL_VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 3}

TIMM = {
    "vit_tiny_patch16_224": (32, {**SMALL_VIT, "num_classes": 5, "init_values": 0.1}),
    "vit_small_patch14_reg4_dinov2": (32, {**SMALL_VIT, "num_classes": 5}),
    "deit_tiny_distilled_patch16_224": (32, {**SMALL_VIT, "num_classes": 5}),
    "convnext_atto": (64, {**SMALL_CONVNEXT, "num_classes": 5}),
    "convnextv2_atto": (64, {**SMALL_CONVNEXT, "num_classes": 5}),
    "swin_tiny_patch4_window7_224": (
        56,
        {"img_size": 56, "depths": (2, 2), "num_heads": (2, 4), "embed_dim": 24, "num_classes": 5},
    ),
    "resnet18": (48, {"channels": (8, 16, 24, 32), "num_classes": 5}),
    "densenet121": (48, {"block_config": (2, 2), "num_classes": 5}),
    "efficientnet_b0": (48, {"num_classes": 5}),
    "levit_128s": (224, {"num_classes": 5}),
    "cait_xxs24_224": (
        32,
        {
            "img_size": 32,
            "patch_size": 8,
            "embed_dim": 24,
            "num_heads": 3,
            "depth": 1,
            "num_classes": 5,
        },
    ),
}


def model_of(net: nn.Module, size: int) -> Model:
    return Model.of(net, id="net", preprocessing=Preprocessing(size=size, resize=size))


@pytest.fixture
def vit(peer) -> nn.Module:
    torch.manual_seed(1)
    return peer("timm").create_model("vit_tiny_patch16_224", **TIMM["vit_tiny_patch16_224"][1])


def picture(size: int) -> Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


def outputs_by_hand(net: nn.Module, x: Tensor) -> dict[tuple[str, int], Tensor]:
    """What every module call gave, of several things the first: a copy, as later calls may write
    into it."""
    seen: dict[tuple[str, int], Tensor] = {}
    hooks = []
    for path, module in net.named_modules():

        def record(module, inputs, output, path=path):
            call = sum(p == path for p, _ in seen)
            first = output[0] if isinstance(output, tuple) else output
            seen[path, call] = first.clone() if isinstance(first, Tensor) else first

        hooks.append(module.register_forward_hook(record))
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return seen


def turned_by_hand(raw: Tensor, node: Node) -> Tensor:
    """Units to axis 1, positions to the last two: by the sizes alone, which differ in these
    networks, and by what the libraries say of their tokens: those that are none come first."""
    if raw.ndim == 3 and not node.shape:  # one token: all there is, or the first of all
        place = 1 if node.id.endswith(".distillation") else 0
        return raw[:, place]
    if raw.ndim == 3:
        y, x = node.shape
        rows = raw[:, raw.shape[1] - y * x :]
        return torch.stack([rows[:, y_ * x : (y_ + 1) * x] for y_ in range(y)], 1).movedim(3, 1)
    if raw.ndim == 4 and raw.shape[1] != node.units:
        assert raw.shape[1:] == (*node.shape, node.units)
        return raw.movedim(3, 1)
    return raw


def check(net: nn.Module, size: int, *, sums: bool = True) -> Model:
    """Everything that must hold of a graph, against plain hooks. `sums`: some are of two nodes."""
    model, x = model_of(net, size), picture(size)
    nodes = model.nodes
    seen = outputs_by_hand(net, x)
    with torch.no_grad():
        values = model.run(x, list(nodes))
    found = 0
    for index, node in enumerate(nodes.values()):
        assert node.index == index
        assert all(nodes[parent].index < index for parent in node.parents), node.id
        value = values[node.id]
        assert value.shape == (2, node.units, *node.shape), node.id
        if not node.join and node.layout.blocks is None:  # windows have tests of their own
            expected = turned_by_hand(seen[node.place.path, node.place.call], node)
            assert torch.equal(value, expected), node.id
        parts = [values[p] for p in node.parents]
        if node.join.startswith("add") and [p.shape for p in parts] == [value.shape] * 2:
            # Position embeddings and scales in plain code come between at some places.
            found += torch.allclose(value, parts[0] + parts[1], atol=1e-5)
        if node.join.startswith("cat"):
            assert torch.equal(value, torch.cat(parts, 1)), node.id
    assert (found > 0) == sums
    _gradients_reach_the_picture(model, size)
    return model


def _gradients_reach_the_picture(model: Model, size: int) -> None:
    x = picture(size).requires_grad_()
    for node in worth_seeing(model.nodes)[-3:]:
        (slope,) = torch.autograd.grad(model.run(x, [node.id])[node.id].square().sum(), x)
        assert slope.isfinite().all()
        assert slope.abs().max() > 0, node.id


@pytest.mark.parametrize("name", TIMM)
def test_timm(peer, name: str) -> None:
    size, options = TIMM[name]
    torch.manual_seed(1)
    net = peer("timm").create_model(name, **options).eval()
    for parameter in net.parameters():  # class tokens and embeddings begin as zeros
        if parameter.std() < 1e-3 and parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.1)
    check(net, size, sums=name.startswith(("vit", "deit", "swin", "resnet", "levit")))


def test_torchvision_sums_and_concatenations(peer) -> None:
    models = peer("torchvision.models")
    torch.manual_seed(1)
    resnet = check(models.resnet18(num_classes=5).eval(), 48)
    assert resnet.node("layer1.0.add").parents == ("maxpool", "layer1.0.bn2")
    assert resnet.node("layer1.0").parents == ("layer1.0.add",)
    dense = check(models.DenseNet(4, (2, 2), 8, num_classes=5).eval(), 48, sums=False)
    cat = dense.node("features.denseblock1.denselayer2.cat")
    assert cat.parents == ("features.pool0", "features.denseblock1.denselayer1")
    assert cat.units == sum(dense.node(parent).units for parent in cat.parents)


def test_torchvision_swin_and_vit(peer) -> None:
    models = peer("torchvision.models")
    torch.manual_seed(1)
    swin = models.SwinTransformer([4, 4], 24, [2, 2], [2, 4], [7, 7], num_classes=5).eval()
    swin = check(swin, 56)
    assert swin.node("features.1.0").layout.axes == "byxu"
    vit = models.VisionTransformer(32, 8, 2, 3, 24, 48, num_classes=5).eval()
    nn.init.normal_(vit.heads.head.weight, std=0.1)  # zeros, as torchvision makes it
    found = check(vit, 32)
    last = found.node("encoder.layers.encoder_layer_1")
    assert (last.units, last.shape, last.layout.prefix) == (24, (4, 4), 1)
    assert f"{last.id}.class" in found.nodes


def test_open_clip(peer) -> None:
    transformer = peer("open_clip.transformer")
    torch.manual_seed(1)
    net = transformer.VisionTransformer(32, 8, 24, 2, 3, 2.0, output_dim=10).eval()
    model = check(net, 32)
    block = model.node("transformer.resblocks.1")
    assert (block.units, block.shape, block.kind) == (24, (4, 4), "block")
    assert f"{block.id}.class" in model.nodes
    assert [n.id for n in worth_seeing(model.nodes)] == [
        "ln_pre",
        "transformer.resblocks.0.mlp.gelu",
        "transformer.resblocks.0",
        "transformer.resblocks.1.mlp.gelu",
        "transformer",
        "output",
    ]


@pytest.mark.parametrize("which", ["ViT", "Dinov2", "Dinov2WithRegisters"])
def test_transformers(peer, which: str) -> None:
    library = peer("transformers")

    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            config = getattr(library, f"{which}Config")(
                hidden_size=24,
                num_hidden_layers=2,
                num_attention_heads=3,
                intermediate_size=40,
                image_size=32,
                patch_size=8,
            )
            self.net = getattr(library, f"{which}Model")(config)

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x).pooler_output

    torch.manual_seed(1)
    model = check(Wrapped().eval(), 32)
    registers = 4 if "Registers" in which else 0
    streams = [n for n in model.nodes.values() if n.layout.prefix and n.shape]
    assert {n.layout.prefix for n in streams} == {1 + registers}
    assert {n.shape for n in streams} == {(4, 4)}
    assert len([n for n in streams if n.kind == "block"]) == 2


def test_what_is_worth_seeing(peer, vit: nn.Module) -> None:
    nodes = model_of(vit, 32).nodes
    assert [n.id for n in worth_seeing(nodes)] == [
        "patch_embed",
        "blocks.0.mlp.act",
        "blocks.0",
        "blocks.1.mlp.act",
        "blocks.1",
        "head",
    ]
    assert [n.id for n in choose_nodes(nodes, ["blocks.*.mlp"])] == ["blocks.0.mlp", "blocks.1.mlp"]
    assert [n.id for n in choose_nodes(nodes, ["blocks.?.class"])] == [
        "blocks.0.class",
        "blocks.1.class",
    ]
    create = peer("timm").create_model
    resnet = create("resnet18", **TIMM["resnet18"][1])
    assert [n.id for n in worth_seeing(model_of(resnet, 48).nodes)][:5] == [
        "act1",
        "layer1.0.act1",
        "layer1.0",
        "layer1.1.act1",
        "layer1.1",
    ]
    convnext = create("convnext_atto", **TIMM["convnext_atto"][1])
    assert [n.id for n in worth_seeing(model_of(convnext, 64).nodes)][:4] == [
        "stem.1",
        "stages.0.blocks.0.norm",
        "stages.0.blocks.0.mlp.act",
        "stages.0",
    ]


def test_blocks_of_transformers_that_give_tuples(peer) -> None:
    library = peer("transformers")
    torch.manual_seed(1)
    config = library.SwinConfig(
        image_size=32, embed_dim=8, depths=[1, 2], num_heads=[1, 2], window_size=4
    )
    net = library.SwinForImageClassification(config).eval()
    model, x = model_of(net, 32), picture(32)
    streams = [n.id for n in worth_seeing(model.nodes) if n.handed_out]
    blocks = [f"swin.encoder.layers.{at}" for at in ("0.blocks.0", "1.blocks.0", "1.blocks.1")]
    assert streams == [f"{block}.add-1" for block in blocks]
    assert [model.aliases[block] for block in blocks] == streams
    seen = outputs_by_hand(net, x)
    for block, value in zip(blocks, model.run(x, blocks).values(), strict=True):
        assert torch.equal(value, turned_by_hand(seen[block, 0], model.node(block)))


def test_a_head_that_reads_recorded_states_gets_what_is_put_in_their_place(peer) -> None:
    """transformers hands on what hooks of its own recorded inside the encoder."""
    library = peer("transformers")
    config = library.SegformerConfig(
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=8,
    )
    torch.manual_seed(1)
    net = library.SegformerForSemanticSegmentation(config).eval()
    model, x = model_of(net, 64), picture(64)
    head = net.decode_head
    for number in range(4):
        (stage,) = model.node(f"decode_head.linear_projections.{number}").parents
        values = torch.randn(model.run(x, [stage])[stage].shape)
        reader = head.linear_projections[number]
        with torch.no_grad(), replaced(model, stage, values):
            found = model.run(x, [f"decode_head.linear_projections.{number}"])
        expected = reader(values).transpose(1, 2).unflatten(2, values.shape[2:])
        assert torch.allclose(*found.values(), expected, atol=1e-5), stage


def test_patches_see_their_patch_and_attention_sees_all(vit: nn.Module) -> None:
    nodes = model_of(vit, 32).nodes
    field = nodes["patch_embed"].receptive_field
    assert (field.size, field.stride, field.start, field.status) == (8, 8, 0, "exact")
    assert nodes["blocks.0.attn.qkv"].receptive_field.status == "exact"
    assert nodes["blocks.0.attn"].receptive_field.status == "whole input"
    assert nodes["blocks.1"].receptive_field.status == "whole input"


def test_units_of_a_vision_transformer_render(vit: nn.Module) -> None:
    model = model_of(vit, 32)
    for node in ("blocks.1.mlp.act", "blocks.1.class"):
        made = optimize(
            model, channel(node, [0, 1]), Settings(steps=16, size=32), seeds=[(0,), (1,)]
        )
        assert made.scores.isfinite().all()
        assert made.images.isfinite().all()
        assert (made.images.flatten(1).std(1) > 0.02).all(), "no grey"
