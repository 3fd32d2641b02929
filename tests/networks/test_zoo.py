"""The cards of the zoo against the networks that they build; no weights needed."""

import re

import pytest
import torch

from micrograph.address import parse
from micrograph.models import cards
from micrograph.models.model import Model
from micrograph.weights.building import build, expected_shapes
from micrograph.weights.tensors import module_digest

OURS = ("inceptionv1_caffe", "squeezenet1_1", "toytown")


@pytest.fixture(scope="module")
def untrained():
    """Each network with random weights."""
    models = {}
    for name in OURS:
        module = build(cards()[name])
        models[name] = Model(cards()[name], module, module_digest(module))
    return models


@pytest.mark.parametrize("name", OURS)
def test_card_and_network_agree(untrained, name):
    card, model = cards()[name], untrained[name]
    last = list(model.nodes.values())[-1]
    assert last.kind == "logits"
    assert len(card.labels) == last.units
    count = sum(p.numel() for p in model.module.parameters())
    assert card.parameters == count
    assert re.fullmatch("[0-9a-f]{64}|", card.digest)
    assert len(expected_shapes(card, model.module)) == len(model.module.state_dict())


@pytest.mark.parametrize("name", OURS)
def test_graph_is_whole(untrained, name):
    nodes = untrained[name].nodes
    assert [n.index for n in nodes.values()] == list(range(len(nodes)))
    reached: set[str] = set()
    for node in nodes.values():
        assert parse(f"{name}/{node.id}/0").node == node.id
        assert set(node.parents) <= reached
        assert bool(node.parents) == bool(node.index)
        assert node.receptive_field.status in {"exact", "whole input"}
        assert not node.overwritten
        reached.add(node.id)
    used = {p for n in nodes.values() for p in n.parents}
    assert set(nodes) - used == {list(nodes)[-1]}  # no loose ends but the output


@pytest.mark.parametrize("name", OURS)
def test_aliases_stand_for_one_node_each(untrained, name):
    model = untrained[name]
    spellings = [s for n in model.nodes.values() for s in (n.id, *n.aliases)]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(
    ("name", "spelling", "node"),
    [
        ("inceptionv1_caffe", "4c", "inception_4c"),
        ("inceptionv1_caffe", "mixed4c", "inception_4c"),
        ("inceptionv1_caffe", "MIXED4C", "inception_4c"),
        ("inceptionv1_caffe", "inception_4c_output", "inception_4c"),
        ("inceptionv1_caffe", "mixed4c_3x3_bottleneck", "inception_4c_3x3_reduce"),
        ("inceptionv1_caffe", "mixed4c_pool_reduce", "inception_4c_pool_proj"),
        ("inceptionv1_caffe", "4c_3x3", "inception_4c_3x3"),
        ("inceptionv1_caffe", "4c_5x5_reduce", "inception_4c_5x5_reduce"),
        ("inceptionv1_caffe", "conv2d0", "conv1_7x7_s2"),
        ("inceptionv1_caffe", "conv2d1", "conv2_3x3_reduce"),
        ("inceptionv1_caffe", "conv2d2", "conv2_3x3"),
        ("inceptionv1_caffe", "softmax2", "loss3_classifier"),
        ("inceptionv1_caffe", "logits", "loss3_classifier"),
        ("squeezenet1_1", "conv1", "fire2_squeeze1x1"),
        ("squeezenet1_1", "conv24", "fire9_expand3x3"),
        ("toytown", "4a", "mixed4a"),
        ("toytown", "mixed4a_3x3_bottleneck", "mixed4a_3x3_reduce"),
    ],
)
def test_spellings(untrained, name, spelling, node):
    assert untrained[name].node(spelling).id == node


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("size", [64, 97, 128])
def test_other_sizes_work(untrained, name, size):
    model = untrained[name]
    output = list(model.nodes)[-1]
    images = torch.rand(1, 3, size, size + 3).contiguous(memory_format=torch.channels_last)
    found = model.run(images, [output])[output]
    assert found.shape == (1, model.nodes[output].units)
    assert found.isfinite().all()


@pytest.mark.parametrize("name", OURS)
def test_before_the_relu_of_every_node(untrained, name):
    model = untrained[name]
    images = torch.rand(1, 3, 64, 64)
    chosen = [n for n in model.nodes.values() if n.kind in {"conv", "inception", "fire"}][::6]
    assert chosen
    for node in chosen:
        before = model.run(images, [node.id], pre_relu=True)[node.id]
        after = model.run(images, [node.id])[node.id]
        assert before.min() < 0, node.id
        assert torch.equal(before.relu(), after), node.id


def test_widths_of_googlenet(untrained):
    nodes = untrained["inceptionv1_caffe"].nodes
    blocks = {n.id[-2:]: n.units for n in nodes.values() if n.kind == "inception"}
    assert blocks == {
        "3a": 256,
        "3b": 480,
        "4a": 512,
        "4b": 512,
        "4c": 512,
        "4d": 528,
        "4e": 832,
        "5a": 832,
        "5b": 1024,
    }
    assert nodes["inception_4a"].shape == (14, 14)


def test_toytown_card_repeats_what_the_network_says():
    from micrograph.organisms.toytown import network

    pre = cards()["toytown"].preprocessing
    assert (pre.size, pre.mean, pre.std) == (network.INPUT_SIZE, network.MEAN, network.STD)


def test_imagenet_classes():
    labels = cards()["inceptionv1_caffe"].labels
    assert len(labels) == 1000
    assert (labels[0], labels[207], labels[999]) == ("tench", "golden retriever", "toilet tissue")
    assert sorted({n for n in labels if labels.count(n) > 1}) == ["crane", "maillot"]
