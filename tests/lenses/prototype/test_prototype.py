"""Prototypes: what counts of a unit's examples, and pictures that come to be like them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from web_client import Client

from micrograph import load, render
from micrograph.atlas import Atlas, Library
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput
from micrograph.lenses import get
from micrograph.lenses.prototype.engine import matched_nodes
from micrograph.lenses.prototype.examples import FOCUS, SeenExample, reference, see
from micrograph.lenses.prototype.lens import PrototypeResult
from micrograph.models.model import Model
from micrograph.optimize.distributions import quantiles
from micrograph.web import create_app

LENS = get("prototype")
DATASET = "toytown:24"
QUICK = {"dataset": DATASET, "preset": "draft", "steps": 3, "examples": 4}


class Net(nn.Module):
    """A stride, a skip and a sum, so that what a node carries goes more than one way."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.two = nn.Conv2d(6, 6, 3, padding=1)
        self.three = nn.Conv2d(6, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.one(x).relu()
        return self.three(first + self.two(first).relu()).relu()


@pytest.fixture(scope="module")
def hand_made() -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        net = Net()
        nn.init.constant_(net.three.bias, 0.3)
    return Model.of(net, id="net", preprocessing=Preprocessing(size=16, resize=16))


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown", device="cpu")


@pytest.fixture(scope="module")
def swept(toytown: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An atlas with the examples of two nodes."""
    folder = tmp_path_factory.mktemp("swept")
    nodes = ["mixed3a", "mixed4a"]
    render(toytown, folder, technique="dataset_examples", nodes=nodes, dataset=DATASET)
    return folder


def test_relevance_is_gradient_times_activation(hand_made: Model) -> None:
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    last = [node.id for node in hand_made.nodes.values() if node.units == 4][-1]
    below = [n for n in matched_nodes(hand_made, last, 9) if hand_made.node(n).units == 6]
    net, unit = hand_made.module, 2
    assert isinstance(net, Net)
    given = hand_made.preprocessing.apply(images).requires_grad_()
    first = net.one(given)
    both = first.relu() + net.two(first.relu()).relu()
    out = net.three(both).relu()[:, unit].flatten(1)
    assert (out.amax(1) > 0).all()
    slopes = torch.autograd.grad(out.amax(1).sum(), [first, both])
    expected = [(first, slopes[0] * first), (both, slopes[1] * both)]
    seen = see(hand_made, images, last, unit, below)
    assert torch.allclose(seen.own, out, atol=1e-5)
    found = [
        [torch.allclose(seen.values[name], value, atol=1e-5) for name in below]
        for value, _ in expected
    ]
    assert all(any(row) for row in found), "both are among the nodes below"
    for row, (_, product) in zip(found, expected, strict=True):
        relevance = seen.relevance[below[row.index(True)]]
        assert product.abs().max() > 0.01
        assert torch.allclose(relevance, product, atol=1e-5)
    assert all(p.grad is None for p in net.parameters())


def test_a_reference_is_where_and_what_carries_the_unit() -> None:
    values, images = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 8, 8)
    relevance = torch.zeros(2, 3, 4, 4)
    relevance[0, 1, 2, 3], relevance[0, 2, 0, 0] = 2.0, -5.0  # nothing on the second picture
    seen = SeenExample(torch.tensor([[1.0, 3.0], [9.0, 9.0]]), {"low": values}, {"low": relevance})
    found = reference(images, seen)
    assert found is not None
    known, channels = found.nodes["low"]
    assert channels.tolist() == [0, 2, 0]
    weights = torch.full((1, 16), (1 - FOCUS) / 16)
    weights[0, 2 * 4 + 3] += FOCUS
    assert torch.allclose(known, quantiles(values[:1].flatten(2), weights))
    assert known[1, 8] == pytest.approx(values[0, 1, 2, 3].item(), abs=0.05)
    assert (found.typical, found.scale) == (2.0, 2.0)
    assert found.colours.shape == (3, 64)
    assert reference(images, SeenExample(seen.own, seen.values, {"low": -relevance.abs()})) is None
    pair = {"low": values, "beside": values}
    beside = reference(
        images, SeenExample(seen.own, pair, {"low": relevance, "beside": relevance * 0})
    )
    assert beside is not None
    assert beside.nodes["beside"][1].tolist() == [0, 0, 0]
    assert torch.equal(beside.nodes["low"][0], known)


def test_matched_nodes_are_the_last_and_others_at_equal_steps(toytown: Model) -> None:
    passed = ["conv0", "conv1", "conv2", "mixed3a", "mixed3b", "mixed4a", "mixed4b", "mixed4c"]
    assert matched_nodes(toytown, "mixed5a", 9) == passed
    assert matched_nodes(toytown, "mixed5a", 1) == ["mixed4c"]
    assert matched_nodes(toytown, "mixed5a", 3) == ["conv0", "mixed3b", "mixed4c"]
    assert matched_nodes(toytown, "conv0", 3) == []
    transformer = load("toytown_vit", device="cpu")
    assert {"patches", "blocks.2", "blocks.3.mlp.act"} <= set(
        matched_nodes(transformer, "blocks.4", 99)
    )


def test_where_there_are_no_examples_the_command_that_makes_them_is_said(
    toytown: Model, swept: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="no dataset examples of toytown") as refused:
        render(toytown, tmp_path, technique="prototype", nodes="mixed4a", units=3, **QUICK)
    said = str(refused.value)
    asked = "micrograph render toytown --node mixed4a --technique dataset_examples --dataset"
    assert f"{asked} {DATASET}" in said
    assert "\n" not in said
    assert not list(tmp_path.iterdir())
    more = QUICK | {"dataset": "toytown:25"}  # another dataset of the same name
    with pytest.raises(BadInput, match="no dataset examples"):
        render(toytown, swept, technique="prototype", nodes="mixed4a", units=3, **more)
    more = QUICK | {"examples": 20}
    with pytest.raises(BadInput, match=r"kept 16 examples of mixed4a/3, expected 20; .*--k 20"):
        render(toytown, swept, technique="prototype", nodes="mixed4a", units=3, **more)


def test_pictures_come_nearer_and_are_found_again(toytown: Model, swept: Path) -> None:
    asked = QUICK | {"nodes": "mixed4a", "units": "3-4"}
    done = render(toytown, swept, technique="prototype", repeats=2, **asked)
    assert (done.rendered, done.skipped, done.failed) == (4, (), {})
    render(toytown, swept, technique="prototype", **asked | {"steps": 40, "units": "3"})
    atlas = Atlas.open(done.path)
    found = atlas.visualizations("mixed4a", 3, "prototype")
    assert {v.variant for v in found} == {"toytown"}
    results = {v.recipe["steps"]: PrototypeResult.from_json(v.data, {}) for v in found}
    short, long = results[3], results[40]
    (example,) = atlas.visualizations("mixed4a", 3, "dataset_examples")
    assert short.examples == tuple(n for n, *_ in example.data["top"][:4])
    assert short.dataset == example.recipe["dataset"]
    assert [name for name, _ in long.nodes] == matched_nodes(toytown, "mixed4a", 6)
    assert sum(d for _, d in long.nodes) < 0.8 * sum(d for _, d in short.nodes)
    assert long.typical > 0
    again = render(toytown, swept, technique="prototype", repeats=2, **asked)
    assert (again.rendered, again.there) == (0, 4)


def test_units_do_not_depend_on_each_other(toytown: Model, swept: Path) -> None:
    from micrograph.runner.examples import ExamplesInAtlases
    from micrograph.runner.options import jobs_of

    stored = ExamplesInAtlases(swept / "toytown.atlas")
    ((_, job),) = jobs_of([LENS], toytown, dict(QUICK), stored)
    together = list(LENS.run(toytown, "mixed4a", [3, 7], job))
    (alone,) = LENS.run(toytown, "mixed4a", [7], job)
    assert [r.unit for r in together] == [3, 7]
    gap = np.abs(together[1].image.astype(int) - alone.image.astype(int))
    assert gap.mean() < 2
    assert together[1].result.examples == alone.result.examples != together[0].result.examples


def test_a_unit_that_nothing_excites_has_no_picture_and_says_so(tmp_path: Path) -> None:
    model = load("toytown", device="cpu")
    with torch.no_grad():
        path = model.node("mixed3a_1x1").path
        conv = dict(model.module.named_modules())[path.partition("#")[0]]
        layer = next(m for m in conv.modules() if isinstance(m, nn.Conv2d))
        layer.weight[0], layer.bias[0] = 0, -1.0
    asked = {"nodes": "mixed3a", "units": "0-1"}
    render(model, tmp_path, technique="dataset_examples", nodes="mixed3a", dataset=DATASET)
    done = render(model, tmp_path, technique="prototype", **asked, **QUICK)
    assert (done.rendered, done.failed) == (2, {})
    atlas = Atlas.open(done.path)
    dead, other = (atlas.visualizations("mixed3a", u, "prototype")[0] for u in (0, 1))
    assert other.picture is not None
    assert dead.picture is None
    assert "excites it" in dead.data["reason"]
    page = Client(create_app(Library([tmp_path]))).get("/models/toytown/mixed3a/0").text
    assert "none of its strongest pictures of toytown excites it" in page


def test_its_page_says_that_it_shows_no_more_than_the_examples(toytown: Model, swept: Path) -> None:
    render(toytown, swept, technique="prototype", nodes="mixed4a", units="5", **QUICK)
    client = Client(create_app(Library([swept])))
    page = client.get("/models/toytown/mixed4a/5").text
    assert "shows no more than these hold" in page
    twin = client.get("/models/toytown/mixed4a/5.json").json()
    (part,) = [p for p in twin["sections"] if p["technique"] == "prototype"]
    (one,) = part["pictures"]
    assert (one["dataset"], one["count"], one["reason"]) == ("toytown", 4, "")
    assert one["shot"]["score"] > 0
    assert [name for name, _ in one["nodes"]] == matched_nodes(toytown, "mixed4a", 6)


def test_odd_data_are_left_out() -> None:
    odd = {
        "examples": [1, -2, True, "x", None],
        "nodes": [["a", 0.5], [3, 1.0], ["b", float("nan")], "c"],
        "typical": "high",
        "reason": ["no"],
        "dataset": 7,
    }
    read = PrototypeResult.from_json(odd, {})
    assert read == PrototypeResult(examples=(1,), nodes=(("a", 0.5), ("b", 0.0)))
    whole = PrototypeResult(dataset="d", examples=(3, 1), nodes=(("n", 0.25),), typical=2.0)
    assert PrototypeResult.from_json(whole.to_json(), {}) == whole
    assert PrototypeResult.from_json({"examples": 3, "nodes": None}, {}) == PrototypeResult()


@pytest.mark.parametrize(
    "options", [{"examples": 0}, {"layers": 0}, {"strength": -1.0}, {"dataset": "nowhere"}]
)
def test_options_out_of_range_are_refused(toytown: Model, options: dict) -> None:
    with pytest.raises(BadInput):
        LENS.jobs(toytown, **options)


@pytest.mark.nightly
def test_latents_of_a_dictionary_and_units_of_a_transformer(tmp_path: Path) -> None:
    model, transformer = load("toytown", device="cpu"), load("toytown_vit", device="cpu")
    model.attach("mixed4a", torch.eye(model.node("mixed4a").units)[:3], name="axes")
    quick = QUICK | {"steps": 1}
    for one, node in ((model, "mixed4a.axes"), (transformer, "blocks.2"), (transformer, "logits")):
        render(one, tmp_path, technique="dataset_examples", nodes=node, dataset=DATASET)
        done = render(one, tmp_path, technique="prototype", nodes=node, units="2", **quick)
        (found,) = Atlas.open(done.path).visualizations(node, 2, "prototype")
        assert found.picture is not None
        matched = [name for name, _ in found.data["nodes"]]
        assert set(matched) <= set(matched_nodes(one, node, 6))
        assert len(matched) >= 4
        assert all(0 < distance < 10 for _, distance in found.data["nodes"])
