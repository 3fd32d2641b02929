"""The facet objective against a closed form, and the lens on toytown."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from micrograph import lenses as techniques
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.engines import common
from micrograph.lenses.faceted_feature_vis.engine import faceted
from micrograph.lenses.faceted_feature_vis.facets import ScenePlan
from micrograph.models import load
from micrograph.models.model import Model
from micrograph.optimize import Settings, channel, evaluate, optimize
from micrograph.recipe import digest
from micrograph.runner import render

LENS = techniques.get("faceted_feature_vis")
QUICK = {"preset": "draft", "steps": 12, "size": 64, "scenes": 64}


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.low = nn.Conv2d(3, 6, 3, padding=1)
        self.high = nn.Conv2d(6, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        high: Tensor = self.high(F.relu(self.low(x)))
        return high


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def _hand_made() -> Model:
    torch.manual_seed(0)
    plain = Preprocessing(size=16, resize=16, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return Model.of(Net(), id="net", preprocessing=plain)


def test_the_objective_and_its_gradient_against_the_closed_form() -> None:
    model = _hand_made()
    net, units, strength = model.module, [2, 0], 3.0
    probe = torch.randn(6)
    images = torch.rand(2, 3, 16, 16)
    target = faceted(channel("high", units), {"low": probe}, strength)

    seen = images.clone().requires_grad_(True)
    value = target.value(model.run(seen, target.nodes), seen)
    (slope,) = torch.autograd.grad(value.sum(), seen)

    other = images.clone().requires_grad_(True)
    low = net.low(other)  # the ReLU behind it is no node: a slope there is 0 where it is off
    weight = net.high.weight[units, :, 0, 0]
    carried = (weight / 256).clamp(min=0)[:, :, None, None] * (low > 0)
    plain = net.high(F.relu(low))[[0, 1], units].mean((1, 2))
    by_hand = plain + strength * (low * carried.detach() * probe[:, None, None]).sum((1, 2, 3))
    (by_hand_slope,) = torch.autograd.grad(by_hand.sum(), other)
    torch.testing.assert_close(value, by_hand)
    torch.testing.assert_close(slope, by_hand_slope)


def test_without_gradients_it_is_the_units_own_activation() -> None:
    model = _hand_made()
    images = torch.rand(1, 3, 16, 16)
    target = faceted(channel("high", [1]), {"low": torch.ones(6)}, 9.0)
    torch.testing.assert_close(
        evaluate(model, target, images), evaluate(model, channel("high", [1]), images)
    )


def test_strength_zero_is_plain_feature_visualization(toytown: Model) -> None:
    job = LENS.jobs(toytown, **QUICK, strength=0, variants=["plant"])[0]
    (done,) = LENS.run(toytown, "mixed4a", [5], job)
    settings = replace(Settings.from_dict(job.recipe), precision="fp32")
    plain = optimize(
        toytown, channel("mixed4a", [5]), settings, seeds=[common.key(0, "mixed4a", 5)]
    )
    gap = np.abs(done.image.astype(int) - plain.as_uint8()[0].astype(int))
    assert gap.mean() < 1
    assert done.score == pytest.approx(float(plain.scores[0]), rel=0.02)


def test_pictures_show_more_of_their_theme(toytown: Model) -> None:
    themes, units = ["vehicle", "plant"], [3, 40]
    probes = {t: ScenePlan(toytown, 64).probes(t, ["mixed4b"])["mixed4b"][0] for t in themes}
    shown = {}
    for job in LENS.jobs(toytown, **QUICK, variants=themes, strength=10):
        done = list(LENS.run(toytown, "mixed4c", units, job))
        assert [r.unit for r in done] == units
        images = torch.from_numpy(np.stack([r.image for r in done])).permute(0, 3, 1, 2) / 255
        own = evaluate(toytown, channel("mixed4c", units), images)
        assert [r.score for r in done] == pytest.approx(own.tolist(), rel=1e-3)
        means = toytown.run(images, ["mixed4b"])["mixed4b"].mean((2, 3)).mean(0)
        shown[job.variant] = {theme: float(means @ probe) for theme, probe in probes.items()}
        assert [name for name, _ in done[0].data["probes"]][-1] == "mixed4b"
        json.dumps(dict(done[0].data))
    assert shown["vehicle"]["vehicle"] > shown["plant"]["vehicle"]
    assert shown["plant"]["plant"] > shown["vehicle"]["plant"]


def test_a_first_node_has_no_facets(toytown: Model, tmp_path) -> None:
    asked = {"technique": [LENS.name], "nodes": ["conv0"], "units": "0", **QUICK}
    for _ in range(2):  # nothing is stored that would make the second time another one
        summary = render(toytown, tmp_path, batch=2, **asked, variants=("night", "day"))
        assert (summary.rendered, summary.there) == (0, 0)
        assert str(summary).startswith("0 results")
        assert "nothing to show for faceted_feature_vis night at conv0, faceted" in str(summary)


def test_own_probes_are_the_one_theme(toytown: Model, tmp_path) -> None:
    path = tmp_path / "spots.safetensors"
    save_file({"mixed3a": torch.randn(80), "mixed4c": torch.randn(208)}, path)
    (job,) = LENS.jobs(toytown, preset="draft", steps=2, size=64, probes=str(path))
    assert job.variant == "spots"
    (done,) = LENS.run(toytown, "mixed4a", [1], job)
    assert done.data["probes"] == [["mixed3a", None]]
    with pytest.raises(BadInput, match="none of the probes is for a node below mixed3a"):
        LENS.batch_size(toytown, "mixed3a", job)
    assert LENS.batch_size(toytown, "mixed3b", job) >= 1


def test_recipes_are_complete(toytown: Model, tmp_path) -> None:
    path = tmp_path / "plant.safetensors"
    save_file({"mixed3a": torch.randn(80)}, path)
    recipes = [
        job.recipe
        for options in (
            {},
            {"strength": 1},
            {"layers": 2},
            {"scenes": 90},
            {"seed": 1},
            {"steps": 3},
            {"probes": str(path)},
        )
        for job in LENS.jobs(toytown, **options)
    ]
    assert len(recipes) == 6 * 4 + 1
    assert len({digest(recipe) for recipe in recipes}) == len(recipes)
    assert {r["precision"] for r in recipes} == {"fp32"}
    json.dumps(recipes[-1])


@pytest.mark.parametrize(
    "options",
    [
        {"strength": -1},
        {"strength": float("nan")},
        {"layers": 0},
        {"scenes": 2},
        {"repeats": 0},
        {"scenes": "all"},
    ],
)
def test_absurd_options_are_refused(toytown: Model, options) -> None:
    with pytest.raises(BadInput):
        LENS.jobs(toytown, **options)


def test_unknown_themes_are_not_found(toytown: Model) -> None:
    with pytest.raises(NotFound, match="'animal'"):
        LENS.jobs(toytown, variants=["animals"])


def test_networks_with_small_inputs_have_facets_too() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3))
    model = Model.of(net, id="small", preprocessing="28,L,0..1")
    (job,) = LENS.jobs(model, variants=["animal"], steps=2, scenes=40)
    (made,) = LENS.run(model, "2", [3], job)
    assert made.image.shape == (28, 28, 3)
    assert len(made.result.probes) == 2
