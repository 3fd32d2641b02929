"""The cards of TF-slim's networks: widths, node names, labels, sizes."""

import pytest
import torch

from micrograph.models import cards
from micrograph.models.loading import untrained
from micrograph.networks.slim import table
from micrograph.networks.slim.layers import SlimPool

INCEPTIONS = ("inceptionv3_slim", "inceptionv4_slim")
SLIM = (*INCEPTIONS, "resnetv2_50_slim")


@pytest.fixture(scope="module")
def models():
    return {name: untrained(cards()[name]) for name in SLIM}


@pytest.mark.parametrize("name", SLIM)
def test_card_and_network_agree(models, name):
    card, model = cards()[name], models[name]
    assert card.parameters == sum(p.numel() for p in model.module.parameters())
    last = list(model.nodes.values())[-1]
    assert (last.id, last.kind, last.units) == ("logits", "logits", 1001)
    assert len(card.labels) == 1001
    assert card.labels[:2] == ("background", "tench")
    assert {c.form for c in card.conversions} >= {"tf-checkpoint", "tf-graph"}
    assert all(s.licence == "Apache-2.0" and s.url.startswith("https://") for s in card.sources)
    for probe in card.probes:
        assert probe.unit < model.node(probe.node).units


@pytest.mark.parametrize(
    ("name", "total"), [("inceptionv3_slim", 11_449), ("inceptionv4_slim", 17_737)]
)
def test_units_of_an_inception_as_lucid_counts_them(models, name, total):
    """Convolutions of the stem that stand outside a block, blocks, logits."""
    nodes = models[name].nodes.values()
    counted = [n for n in nodes if "." not in n.id and n.kind in {"conv", "inception", "logits"}]
    assert sum(n.units for n in counted) == total


def test_units_of_the_residual_network_as_lucid_counts_them(models):
    """The sums, the first normed input of each block, the last norm, logits."""
    nodes = models["resnetv2_50_slim"].nodes.values()
    ends = (".add", ".unit1.preact", "postnorm", "logits")
    assert sum(n.units for n in nodes if n.id.endswith(ends)) == 20_009


def test_widths_and_sides(models):
    v3, v4, resnet = (models[name].nodes for name in SLIM)
    blocks = {n.id[6:]: n.units for n in v3.values() if n.kind == "inception"}
    assert blocks == {
        "5b": 256,
        "5c": 288,
        "5d": 288,
        "6a": 768,
        "6b": 768,
        "6c": 768,
        "6d": 768,
        "6e": 768,
        "7a": 1280,
        "7b": 2048,
        "7c": 2048,
    }
    blocks = {n.id[6:]: n.units for n in v4.values() if n.kind == "inception"}
    assert blocks == {"3a": 160, "4a": 192, "5a": 384, "6a": 1024, "7a": 1536} | dict.fromkeys(
        ("5b", "5c", "5d", "5e"), 384
    ) | dict.fromkeys(("6b", "6c", "6d", "6e", "6f", "6g", "6h"), 1024) | dict.fromkeys(
        ("7b", "7c", "7d"), 1536
    )
    for nodes in (v3, v4):
        sides = [nodes[n].shape[0] for n in ("Conv2d_1a_3x3", "Mixed_5b", "Mixed_6a", "Mixed_7a")]
        assert sides == [149, 35, 17, 8]
    # The last unit of a block strides, not the first.
    sides = {n: resnet[f"{n}.add"].shape for n in ("block1.unit2", "block1.unit3", "block4.unit3")}
    assert sides == {"block1.unit2": (56, 56), "block1.unit3": (28, 28), "block4.unit3": (7, 7)}


@pytest.mark.parametrize("name", SLIM)
def test_graph_is_whole(models, name):
    nodes = models[name].nodes
    reached: set[str] = set()
    for node in nodes.values():
        assert set(node.parents) <= reached
        assert bool(node.parents) == bool(node.index)
        assert node.receptive_field.status in {"exact", "whole input"}
        assert not node.overwritten
        reached.add(node.id)
    assert set(nodes) - {p for n in nodes.values() for p in n.parents} == {"logits"}


@pytest.mark.parametrize("name", SLIM)
def test_aliases_stand_for_one_node_each(models, name):
    spellings = [s for n in models[name].nodes.values() for s in (n.id, *n.aliases)]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("name", "spelling", "node"),
    [
        ("inceptionv3_slim", "InceptionV3_InceptionV3_Mixed_5d_concat_0", "Mixed_5d"),
        ("inceptionv3_slim", "InceptionV3_InceptionV3_Mixed_5d_concat", "Mixed_5d"),
        ("inceptionv3_slim", "5d", "Mixed_5d"),
        ("inceptionv3_slim", "mixed5d", "Mixed_5d"),
        ("inceptionv3_slim", "mixed_5d", "Mixed_5d"),
        ("inceptionv3_slim", "InceptionV3_InceptionV3_Conv2d_4a_3x3_Relu_0", "Conv2d_4a_3x3"),
        (
            "inceptionv3_slim",
            "InceptionV3_InceptionV3_Mixed_5c_Branch_1_Conv_1_0c_5x5_Relu_0",
            "Mixed_5c.Branch_1.Conv_1_0c_5x5",
        ),
        (
            "inceptionv3_slim",
            "Mixed_5b_Branch_1_Conv2d_0b_5x5",
            "Mixed_5b.Branch_1.Conv2d_0b_5x5",
        ),
        (
            "inceptionv3_slim",
            "InceptionV3_InceptionV3_Mixed_7b_Branch_1_concat_0",
            "Mixed_7b.Branch_1.concat",
        ),
        ("inceptionv3_slim", "InceptionV3_Predictions_Softmax_0", "logits"),
        ("inceptionv4_slim", "InceptionV4_InceptionV4_Mixed_6c_concat_0", "Mixed_6c"),
        ("inceptionv4_slim", "InceptionV4_Logits_Predictions_0", "logits"),
        (
            "resnetv2_50_slim",
            "resnet_v2_50_block2_unit_1_bottleneck_v2_conv2_Relu_0",
            "block2.unit1.conv2",
        ),
        ("resnetv2_50_slim", "resnet_v2_50_block2_unit_1_bottleneck_v2_add_0", "block2.unit1.add"),
        ("resnetv2_50_slim", "block2.unit1", "block2.unit1.add"),
        (
            "resnetv2_50_slim",
            "resnet_v2_50_block3_unit_1_bottleneck_v2_preact_Relu_0",
            "block3.unit1.preact",
        ),
        (
            "resnetv2_50_slim",
            "resnet_v2_50_block1_unit_3_bottleneck_v2_shortcut_MaxPool_0",
            "block1.unit3.shortcut",
        ),
        ("resnetv2_50_slim", "resnet_v2_50_postnorm_Relu_0", "postnorm"),
    ],
)
def test_spellings(models, name, spelling, node):
    assert models[name].node(spelling).id == node


@pytest.mark.parametrize("name", SLIM)
@pytest.mark.parametrize("size", [75, 128])
def test_other_sizes_work(models, name, size):
    images = torch.rand(1, 3, size, size + 3).contiguous(memory_format=torch.channels_last)
    found = models[name].run(images, ["logits"])["logits"]
    assert found.shape == (1, 1001)
    assert found.isfinite().all()


@pytest.mark.parametrize("name", SLIM)
def test_before_the_relu(models, name):
    model = models[name]
    images = torch.rand(1, 3, 128, 128)
    with_relu = [n for n in model.nodes.values() if n.relus]
    chosen = [n for n in with_relu if n.kind in {"conv", "norm", "cat"} or not n.id.endswith("a")]
    assert len(chosen) > 30
    for node in chosen[::9]:
        before = model.run(images, [node.id], pre_relu=True)[node.id]
        after = model.run(images, [node.id])[node.id]
        assert before.min() < 0, node.id
        assert torch.equal(before.relu(), after), node.id


def test_input_is_minus_one_to_one():
    for name in SLIM:
        images = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3).expand(1, 3, 1, 3)
        found = cards()[name].preprocessing.apply(images)
        assert found[0, 0, 0].tolist() == [-1.0, 0.0, 1.0]


def test_lines_of_a_table():
    plain = table.layer("Conv2d_0b_1x7 224")
    assert (plain.units, plain.kernel, plain.stride, plain.valid) == (224, (1, 7), 1, False)
    wrong = table.layer("Conv2d_1a_1x1 96 3x3 /2 VALID")
    assert (wrong.units, wrong.kernel, wrong.stride, wrong.valid) == (96, (3, 3), 2, True)
    pool = table.layer("MaxPool_3a_3x3 /2 VALID")
    assert (pool.units, pool.kernel, pool.stride, pool.valid) == (0, (3, 3), 2, True)


@pytest.mark.parametrize("size", [6, 7, (6, 7)])
def test_pool_pads_like_tensorflow(size):
    """Out of the definition: the output has half the size, rounded up; what padding that takes is
    split, the odd row at the end."""
    y, x = (size, size) if isinstance(size, int) else size
    values = -torch.rand(1, 2, y, x)  # negative: a padding of zeros would win
    found = SlimPool()(values)
    assert found.shape[2:] == ((y + 1) // 2, (x + 1) // 2)

    def before(n: int) -> int:
        return max((-(-n // 2) - 1) * 2 + 3 - n, 0) // 2

    for i in range(found.shape[2]):
        for j in range(found.shape[3]):
            top, left = 2 * i - before(y), 2 * j - before(x)
            window = values[:, :, max(top, 0) : top + 3, max(left, 0) : left + 3]
            assert torch.equal(found[:, :, i, j], window.amax((2, 3)))
