"""Lenses on a vision transformer: on its positions as on any map, on its class token as on a flat
node."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from micrograph.atlas import Atlas
from micrograph.cards.preprocessing import Preprocessing
from micrograph.datasets import batches, open_dataset
from micrograph.lenses.attribution.engine import attribute
from micrograph.lenses.faceted_feature_vis.facets import dominators_with_maps
from micrograph.models.model import Model
from micrograph.runner import render

SIZE = 16


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.wide, self.act, self.narrow = nn.Linear(8, 12), nn.GELU(), nn.Linear(12, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(x, x, x, need_weights=False)[0]
        return x + self.narrow(self.act(self.wide(x)))


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.cls_token = nn.Parameter(torch.randn(1, 1, 8))
        self.blocks = nn.Sequential(Block(), Block())
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1)
        return self.head(self.blocks(x)[:, 0])


@pytest.fixture(scope="module")
def model() -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        net = Transformer()
        nn.init.normal_(net.patches.weight, std=0.5)
    return Model.of(net, id="vit", preprocessing=Preprocessing(size=SIZE, resize=SIZE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        (root / str(number % 2)).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / str(number % 2) / f"{number}.png")
    return root


def test_dataset_examples_are_the_largest_of_all_positions(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    nodes = ("blocks.0.act", "blocks.1.class")
    render(model, tmp_path, technique=["dataset_examples"], nodes=nodes, dataset=str(folder))
    atlas = Atlas.open(tmp_path / "vit.atlas")
    (batch,) = batches(open_dataset(str(folder)), model.preprocessing, 12, [0])
    with torch.no_grad():
        values = model.run(batch.images(), list(nodes))
    for node in nodes:
        every = values[node].flatten(2) if values[node].ndim == 4 else values[node][..., None]
        for unit in (0, 5):
            (shown,) = atlas.visualizations(node, unit, "dataset_examples")
            number, place, value = shown.data["top"][0][:3]
            best = every[:, unit].max()
            assert value == pytest.approx(best.item(), abs=1e-3)
            assert every[number, unit, place] == best


@pytest.mark.parametrize("node", ["blocks.0.act", "blocks.1", "blocks.1.class"])
def test_lenses_that_look_at_a_picture_and_at_drawings(
    model: Model, node: str, tmp_path: Path
) -> None:
    for lens, options in {
        "activation_grid": {"images": ["owl"], "steps": 1, "size": SIZE},
        "neuron_groups": {"images": ["owl"], "steps": 1, "size": SIZE, "groups": 2},
        "caricature": {"images": ["owl"], "steps": 1},
        "attribution": {"images": ["owl"]},
        "similar": {},
        "tuning": {"variants": ("hue",)},
    }.items():
        done = render(
            model, tmp_path, technique=[lens], nodes=[node], **({"units": "0-1"} | options)
        )
        assert done.rendered + len(done.nothing) >= 1, lens
        assert not done.skipped, lens


def test_what_carries_a_unit_adds_up(model: Model) -> None:
    """All that reaches the last class token passes the positions and the class token before."""
    picture = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(4))
    for found in attribute(model, "blocks.1.class", [0, 3], picture, ["patches"], path=200):
        (share,) = found.shares
        assert share.values.shape == (8, 4, 4)
        assert share.baseline + share.units.sum().item() == pytest.approx(found.target, abs=2e-2)


def test_what_everything_passes_on_its_way() -> None:
    net = Transformer()
    model = Model.of(net, id="vit", preprocessing=Preprocessing(size=SIZE, resize=SIZE))
    assert dominators_with_maps(model, "blocks.0", 9) == ["patches", "blocks.0.add"]
    # Through attention the class token of the block before goes past its positions.
    assert dominators_with_maps(model, "blocks.1", 9) == ["patches", "blocks.1.add"]
