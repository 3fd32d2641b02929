"""CLIP's image tower: its parts against torch's own, its graph, other sizes."""

import pytest
import torch
import torch.nn.functional as F
from small_clip import SHAPE, shaken

from micrograph.models.model import Model
from micrograph.models.running.attention import FixedPattern
from micrograph.networks.clip.resnet import AttentionPool, Bottleneck


@pytest.fixture(scope="module")
def model() -> Model:
    return shaken()


def test_pooling_against_torchs_own_attention():
    torch.manual_seed(0)
    pool = AttentionPool(16, 4, 3)
    x = torch.randn(2, 16, 3, 3)
    places = x.flatten(2).permute(2, 0, 1)
    places = torch.cat([places.mean(0, keepdim=True), places]) + pool.positions[:, None]
    expected, _ = F.multi_head_attention_forward(
        places[:1],
        places,
        places,
        16,
        4,
        None,
        torch.cat([pool.query.bias, pool.key.bias, pool.value.bias]),
        None,
        None,
        False,
        0.0,
        torch.eye(16),
        None,
        use_separate_proj_weight=True,
        q_proj_weight=pool.query.weight,
        k_proj_weight=pool.key.weight,
        v_proj_weight=pool.value.weight,
    )
    torch.testing.assert_close(pool(x), expected[0])


def test_positions_for_other_maps():
    pool = AttentionPool(2, 1, 4)
    with torch.no_grad():  # a slope along y and one along x, which interpolation must keep
        y, x = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
        pool.positions[1:] = torch.stack([y.flatten(), x.flatten()], 1)
        pool.positions[0] = 9
    assert pool.positions_for(4, 4) is pool.positions
    wide = pool.positions_for(4, 8)
    assert wide.shape == (33, 2)
    assert torch.equal(wide[0], pool.positions[0])
    inside = wide[1:].reshape(4, 8, 2)[1:3, 2:6]
    across, down = torch.tensor([0.75, 1.25, 1.75, 2.25]), torch.tensor([1.0, 2.0])
    torch.testing.assert_close(inside[..., 1], across.repeat(2, 1), atol=0.1, rtol=0)
    torch.testing.assert_close(inside[..., 0], down[:, None].repeat(1, 4), atol=0.1, rtol=0)


def test_a_block_by_hand():
    torch.manual_seed(0)
    block = Bottleneck(6, 4, 2).eval()
    x = torch.randn(2, 6, 8, 8)

    def norm(y, bn):
        scale = bn.weight / (bn.running_var + bn.eps).sqrt()
        return (y - bn.running_mean[:, None, None]) * scale[:, None, None] + bn.bias[:, None, None]

    with torch.no_grad():
        for bn in (block.bn1, block.bn2, block.bn3, block.downsample.bn):
            for t in (bn.weight, bn.running_var):
                t.uniform_(0.5, 1.5)
            bn.bias.normal_()
            bn.running_mean.normal_()
        y = norm(F.conv2d(x, block.conv1.weight), block.bn1).clamp_min(0)
        y = norm(F.conv2d(y, block.conv2.weight, padding=1), block.bn2).clamp_min(0)
        y = y.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean((3, 5))
        y = norm(F.conv2d(y, block.conv3.weight), block.bn3)
        past = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean((3, 5))
        past = norm(F.conv2d(past, block.downsample.conv.weight), block.downsample.bn)
        torch.testing.assert_close(block(x), (y + past).clamp_min(0))


def test_graph(model):
    nodes = model.nodes
    assert list(nodes)[:9] == [
        "stem.conv1",
        "stem.bn1",
        "stem.conv2",
        "stem.bn2",
        "stem.conv3",
        "stem.bn3",
        "stem",
        "layer1.0.conv1",
        "layer1.0.bn1",
    ]
    assert list(nodes)[-4:] == ["layer4.1.sum", "layer4.1.out", "pooled", "embedding"]
    assert not any(n.overwritten for n in nodes.values())
    assert nodes["layer2.0.sum"].parents == ("layer2.0.bn3", "layer2.0.downsample")
    assert nodes["layer1.1.sum"].parents == ("layer1.0.out", "layer1.1.bn3")
    assert nodes["layer1.1.bn1"].parents == ("layer1.1.conv1",)
    assert (nodes["layer4.1.sum"].units, nodes["layer4.1.sum"].shape) == (256, (2, 2))
    assert nodes["layer1.0.bn1"].receptive_field.stride == 4
    assert (nodes["embedding"].units, nodes["embedding"].kind) == (12, "embedding")
    assert nodes["pooled"].parents == ("layer4.1.out",)


def test_sums_and_norms_are_before_the_relu(model):
    x = torch.rand(2, 3, 64, 64)
    found = model.run(x, list(model.nodes))
    for node in model.nodes.values():
        if node.kind == "add":
            torch.testing.assert_close(found[node.id], sum(found[p] for p in node.parents))
            out = node.id.replace(".sum", ".out")
            assert torch.equal(found[out], found[node.id].relu())
            before = model.run(x, [out], pre_relu=True)[out]
            assert torch.equal(before, found[node.id])
        if node.kind == "norm" or node.kind == "add":
            assert found[node.id].min() < 0 < found[node.id].max(), node.id


def test_maps_of_any_size(model):
    for y, x in ((64, 64), (96, 72), (40, 33)):
        found = model.run(torch.rand(1, 3, y, x), ["layer4.1.sum", "embedding"])
        assert found["layer4.1.sum"].shape == (1, 256, y // 32, x // 32)
        assert found["embedding"].shape == (1, SHAPE.dimensions)
        assert found["embedding"].isfinite().all()


def test_embedding_is_linear_in_the_last_block_when_the_pattern_is_held(model):
    """What text directions of the last block are: value and output projection in a row."""
    x = torch.rand(1, 3, 64, 64).requires_grad_(True)
    with FixedPattern():
        found = model.run(x, ["layer4.1.out", "embedding"])
    last = found["layer4.1.out"]
    slopes = torch.stack(
        [
            torch.autograd.grad(v, last, retain_graph=True)[0].sum((2, 3))[0]
            for v in found["embedding"][0]
        ]
    )
    module = model.module
    expected = module.embedding.weight @ module.pooled.value.weight
    torch.testing.assert_close(slopes, expected, atol=1e-5, rtol=1e-4)
