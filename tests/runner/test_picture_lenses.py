"""Lenses that look at a picture, rendered into an atlas and found there again."""

from pathlib import Path

import torch
from PIL import Image
from torch import nn

from micrograph import Model, Preprocessing
from micrograph.atlas import Atlas
from micrograph.models import load
from micrograph.runner import render

LENSES = ("activation_grid", "neuron_groups", "attribution")


def test_results_refer_to_the_picture_they_are_of(tmp_path: Path) -> None:
    model = load("toytown")
    own = tmp_path / "my cat.png"
    Image.new("RGB", (40, 30), (200, 120, 40)).save(own)

    def make(*images: str) -> int:
        return render(
            model,
            tmp_path,
            technique=LENSES,
            nodes=["conv1"],
            units="3",
            images=images,
            steps=1,
            size=16,
            groups=2,
        ).rendered

    assert make("owl") == 3
    assert make("owl", str(own)) == 3, "the owl is there, whatever it is asked for with"
    atlas = Atlas.open(tmp_path / "toytown.atlas")
    pictures = {d.digest: d for d in atlas.datasets()}
    assert [(d.name, d.title, d.size) for d in pictures.values()] == [
        ("pictures", "owl", 96),
        ("pictures", "my cat", 96),
    ]
    for lens in LENSES:
        unit = 3 if lens == "attribution" else None
        found = {v.variant: v for v in atlas.visualizations("conv1", unit, lens)}
        assert set(found) == {"owl", "my cat"}
        for variant, result in found.items():
            digest, number = result.data["source"]
            assert pictures[digest].title == variant
            stored = atlas.samples(digest, [number])[number].picture
            assert stored is not None
            assert (stored.width, stored.height) == (96, 96)
            assert (result.picture is None) == (lens == "attribution")


def test_a_grey_network_is_seen_in_colour_pictures(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.ReLU())
    grey = Preprocessing(size=16, resize=16, channel_order="L")
    model = Model.of(net, id="grey", preprocessing=grey)
    options = {"images": ("owl",), "steps": 1, "size": 16, "groups": 2}
    done = render(model, tmp_path, technique=LENSES, nodes=["3"], units="0", **options)
    assert done.rendered == 3
    done = render(model, tmp_path, technique=["tuning"], nodes=["3"], variants=("hue",))
    assert done.rendered == 1
    done = render(model, tmp_path, technique=["feature_vis"], nodes=["3"], units="0-1", steps=2)
    assert done.rendered == 2
    (shown,) = Atlas.open(tmp_path / "grey.atlas").visualizations("3", 0, "feature_vis")
    assert shown.recipe["size"] == 16
