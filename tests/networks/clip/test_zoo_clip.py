"""The cards of CLIP's ResNets against the networks that they build; no weights needed."""

from dataclasses import replace

import pytest
from small_clip import card as small_card

from micrograph.address import parse
from micrograph.errors import NotFound
from micrograph.graph import worth_seeing
from micrograph.models import cards
from micrograph.models.model import Model
from micrograph.models.uninitialized import Uninitialized
from micrograph.weights.building import build

#                     sums    widths of stages          blocks          embedding
EXPECTED = {
    "contrastive_rn50": (15_104, (256, 512, 1024, 2048), (3, 4, 6, 3), 1024),
    "contrastive_v2": (32_512, (256, 512, 1024, 2048), (3, 4, 23, 3), 512),
    "contrastive_4x": (33_280, (320, 640, 1280, 2560), (4, 6, 10, 6), 640),
    "contrastive_16x": (60_672, (384, 768, 1536, 3072), (6, 8, 18, 8), 768),
}


@pytest.fixture(scope="module")
def graphs():
    """Each network, its graph watched on pictures of 64 px instead of its own size."""
    found = {}
    for name in EXPECTED:
        card = cards()[name]
        with Uninitialized():
            module = build(card)
        small = replace(card, preprocessing=replace(card.preprocessing, size=64, resize=64))
        found[name] = Model(small, module, "")
        assert found[name].nodes
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_units_and_parameters(graphs, name):
    sums, widths, blocks, embedding = EXPECTED[name]
    nodes = graphs[name].nodes
    assert sum(n.units for n in nodes.values() if n.id.endswith(".sum")) == sums
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True), 1):
        of_stage = [n for n in nodes.values() if n.id.startswith(f"layer{stage}.")]
        assert {n.units for n in of_stage if n.kind == "add"} == {width}
        assert len([n for n in of_stage if n.kind == "add"]) == count
        assert {n.units for n in of_stage if n.id.endswith((".bn1", ".bn2"))} == {width // 4}
    assert nodes["embedding"].units == embedding
    card = cards()[name]
    assert sum(p.numel() for p in graphs[name].module.parameters()) == card.parameters
    assert card.preprocessing.size == 32 * graphs[name].module.pooled.grid


@pytest.mark.parametrize("name", EXPECTED)
def test_spellings_stand_for_one_node_each(graphs, name):
    nodes = graphs[name].nodes
    spellings = [s.lower() for n in nodes.values() for s in (n.id, *n.aliases)]
    assert len(spellings) == len(set(spellings))
    for node in nodes.values():
        for spelling in (node.id, *node.aliases):
            assert graphs[name].node(spelling).id == node.id
        assert parse(f"{name}/{node.id}/0").node == node.id


@pytest.mark.parametrize(
    ("place", "node"),
    [
        ("contrastive_v2/image_block_4_1_Add_6_0/977", "layer4.1.sum"),
        ("contrastive_v2/image_block_3_1_add_3_0/157", "layer3.1.bn2"),
        ("contrastive_v2/image_block_2_1_add_3_0/18", "layer2.1.bn2"),
        ("contrastive_rn50/image_block_4_1_Add_6_0/1506", "layer4.1.sum"),
        ("contrastive_rn50/image_block_3_0_add_1_0/40", "layer3.0.bn1"),
        ("contrastive_4x/image_block_4_4_Add_6_0/2525", "layer4.4.sum"),
        ("contrastive_4x/image_block_3_0_add_1_0/211", "layer3.0.bn1"),
        ("contrastive_4x/image_block_2_1_add_3_0/130", "layer2.1.bn2"),
        ("contrastive_v2/image_block_4_2_Add_6_0/679", "layer4.2.sum"),
        ("contrastive_4x/image_block_4_4_add_3_0/500", "layer4.4.bn2"),
        ("contrastive_4x/image_block_4_0_Add_8_0/871", "layer4.0.sum"),
        ("contrastive_16x/image_block_3_17_add_5_0/0", "layer3.17.bn3"),
        ("contrastive_16x/image_block_4_7_Relu_2_0/0", "layer4.7.out"),
        ("contrastive_16x/attnpool/0", "embedding"),
    ],
)
def test_old_links(graphs, place, node):
    model, op, unit = place.split("/")
    found = graphs[model].node(op)
    assert found.id == node
    assert int(unit) < found.units


def test_the_first_block_has_no_seventh_addition_for_its_sum(graphs):
    with pytest.raises(NotFound):
        graphs["contrastive_4x"].node("image_block_4_0_Add_6_0")
    assert graphs["contrastive_4x"].node("image_block_4_0_add_7_0").id == "layer4.0.downsample"


def test_probes_name_units_that_exist(graphs):
    for name, model in graphs.items():
        for probe in cards()[name].probes:
            assert probe.unit < model.node(probe.node).units
    assert {p.unit for p in cards()["contrastive_4x"].probes} >= {89, 1330, 2364}


def test_what_is_rendered_by_default(graphs):
    seen = [n.id for n in worth_seeing(graphs["contrastive_rn50"].nodes)]
    last = [n for n in seen if n.startswith("layer4.2.")]
    assert last == ["layer4.2.bn1", "layer4.2.bn2", "layer4.2.sum"]  # bn3 is seen in the sum
    assert not any(n.endswith(("conv1", ".out", ".downsample")) for n in seen)
    assert seen[-2:] == ["pooled", "embedding"]


def test_small_relative_shares_everything_but_its_shape():
    assert small_card().aliases is cards()["contrastive_16x"].aliases
