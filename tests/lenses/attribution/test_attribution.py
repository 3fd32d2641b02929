"""Attribution against closed forms and against its own completeness."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph import lenses as techniques
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput, NotFound
from micrograph.lenses.attribution.engine import as_result, attribute, dominators_of
from micrograph.lenses.attribution.integrate import integrate_along
from micrograph.lenses.attribution.lens import AttributionResult
from micrograph.lenses.engines.base import Rendered, Sample
from micrograph.models import load
from micrograph.models.model import Model

LENS = techniques.get("attribution")


@pytest.fixture(scope="module")
def toytown() -> Model:
    return load("toytown")


def model_of(net: nn.Module, size: int = 16) -> Model:
    torch.manual_seed(3)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.5)
    return Model.of(net, id="net", preprocessing=Preprocessing(size=size, resize=size))


def picture(size: int = 16) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(5))


def test_on_a_linear_path_it_is_weight_times_activation() -> None:
    net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU())
    model, x = model_of(net), picture()
    for found in attribute(model, "3", [0, 1, 2, 3], x, ["1"], path=1):
        with torch.no_grad():
            a = net[1](net[0](x))[0]
            before = net[2](a[None])[0, found.unit]
        y, column = divmod(found.position, before.shape[1])
        assert found.target == pytest.approx(before.max().item(), rel=1e-5)
        window = a[:, y : y + 3, column : column + 3]
        expected = (net[2].weight[found.unit] * window).sum((1, 2))
        (share,) = found.shares
        assert torch.allclose(share.units, expected, atol=1e-5)
        assert share.baseline == pytest.approx(net[2].bias[found.unit].item(), rel=1e-5)
        outside = share.values.clone()
        outside[:, y : y + 3, column : column + 3] = 0
        assert outside.abs().max() == 0, "what the unit cannot see has no share"


def test_the_path_converges_to_completeness() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 16, 5),
    )
    model, x = model_of(net), picture()
    with torch.no_grad():
        given, targets = model.run(x, ["1"])["1"], model.run(x, ["8"])["8"][0].tolist()
    nothing, places = torch.zeros_like(given), dict.fromkeys(range(5), 0)
    gaps = []
    for path in (1, 10, 300):
        found = integrate_along(model, x, "1", given, "zero", nothing, "8", places, path)
        gaps.append(sum(abs(way.share.missed(targets[unit])) for unit, way in found.items()))
    assert gaps[1] < gaps[0] / 3
    assert gaps[2] < 0.01 * sum(map(abs, targets))


def test_the_gradient_is_taken_along_the_path() -> None:
    """Of a square the integrated gradient is the square itself; at its end it is twice that."""

    class Square(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.first(x) ** 2)

    net = Square()
    model, x = model_of(net), picture()
    (found,) = attribute(model, "last", [1], x, ["first"], path=10)
    with torch.no_grad():
        at = net.first(x)[0].flatten(1)[:, found.position]
    expected = net.last.weight[1, :, 0, 0] * at**2
    assert torch.allclose(found.shares[0].units, expected, atol=1e-5)


class Branches(nn.Module):
    """Two branches that are joined: what goes past one of them is no part of its share."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 3, 1), nn.Conv2d(4, 2, 1)
        self.last = nn.Conv2d(5, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        return self.last(torch.cat([F.relu(self.a(x)), F.relu(self.b(x))], 1))


def test_nodes_before_their_own_activation_are_not_asked() -> None:
    parts = [
        nn.Conv2d(3, 6, 3),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 1),
        nn.Conv2d(4, 2, 1),
    ]
    model = Model.of(nn.Sequential(*parts), id="net", preprocessing=Preprocessing(16, 16))
    assert dominators_of(model, "7") == ["2", "5", "6"]
    assert dominators_of(model, "5") == ["2"]
    assert dominators_of(model, "3") == ["2"]


def test_branches_share_what_the_join_has() -> None:
    model, x = model_of(Branches()), picture()
    assert dominators_of(model, "last") == ["stem", "cat"]
    assert dominators_of(model, "a") == ["stem"]
    assert dominators_of(model, "stem") == []
    (found,) = attribute(model, "last", [0], x, ["a", "b"])
    a, b = found.shares
    bias = model.module.last.bias[0].item()
    assert a.units.sum() + b.units.sum() + bias == pytest.approx(found.target, rel=1e-4)
    assert a.baseline == pytest.approx(found.target - a.units.sum().item(), rel=1e-4)


@pytest.fixture(scope="module")
def owl(toytown: Model) -> tuple[Sample, Rendered]:
    """The picture of the owl, and what carried its class."""
    job = LENS.jobs(toytown, images=["owl"])[0]
    sample, done = LENS.run(toytown, "logits", [toytown.labels.index("owl")], job)
    assert done.data["source"] == [sample.source.digest, 0] == [job.recipe["source"], 0]
    return sample, done


def test_on_toytown_what_is_stored_adds_up(owl: tuple[Sample, Rendered]) -> None:
    done = owl[1]
    data = done.data
    assert (done.image, done.score) == (None, pytest.approx(data["target"], rel=1e-4))
    assert [n["node"] for n in data["nodes"]][:2] == ["mixed5b", "mixed5a"]
    for node in data["nodes"]:
        assert abs(node["baseline"] + node["total"] - data["target"]) < 0.15 * data["target"]
        sizes = [abs(value) for _, value in node["units"]]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) == 16
    assert data["map_of"] == "mixed4c"
    total = next(n["total"] for n in data["nodes"] if n["node"] == "mixed4c")
    assert sum(map(sum, data["map"])) == pytest.approx(total, rel=1e-3)


def test_the_owl_is_where_the_map_says(owl: tuple[Sample, Rendered]) -> None:
    """The shipped scene shows the owl right of the middle and background on the far left."""
    columns = torch.tensor(owl[1].data["map"]).sum(0)
    assert columns[4:].sum() > 3 * columns[:4].sum()


def test_units_together_are_as_each_alone(toytown: Model) -> None:
    job = LENS.jobs(toytown, images=["owl"], upstream=["mixed4a"])[0]
    _, *both = LENS.run(toytown, "mixed4b", [7, 100], job)
    _, alone = LENS.run(toytown, "mixed4b", [100], job)
    assert [n["node"] for n in alone.data["nodes"]] == ["mixed4a"]
    together = dict(both[1].data["nodes"][0]["units"])
    for unit, value in alone.data["nodes"][0]["units"][:8]:
        assert together[unit] == pytest.approx(value, rel=1e-3)


def test_the_first_node_has_nothing_before_it(toytown: Model) -> None:
    (found,) = attribute(toytown, "conv0", [0], picture(96))
    data = as_result(found).to_json()
    assert (data["nodes"], data["map"]) == ([], [])


def test_bad_options_are_refused(toytown: Model) -> None:
    with pytest.raises(BadInput, match="path 0 is out of range"):
        LENS.jobs(toytown, images=["owl"], path=0)
    with pytest.raises(NotFound, match="mixed4"):
        LENS.jobs(toytown, images=["owl"], upstream="mixed4z")
    with pytest.raises(NotFound, match="picture"):
        LENS.jobs(toytown, images=["nothing"])
    with pytest.raises(BadInput, match="unit 30 is out of range"):
        attribute(toytown, "logits", [30], picture(96))


class Tokens(nn.Module):
    """A linear network that takes its batch from the pictures, in a way of its own."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.patches, self.mix, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 8), nn.Linear(8, 5)
        self.own = nn.Parameter(torch.zeros(1, 1, 8))

    def forward(self, x: Tensor) -> Tensor:
        b = x.shape[0]
        maps = self.patches(x)
        tokens = maps.flatten(2).transpose(1, 2)
        if self.how == "reshape":
            tokens = maps.permute(0, 2, 3, 1).reshape(b, -1, 8)
        elif self.how == "expand":
            tokens = torch.cat([self.own.expand(b, -1, -1), tokens], 1)
        elif self.how == "arange":
            tokens = tokens + self.own.repeat(b, 16, 1)
            return self.head(self.mix(tokens)[torch.arange(b), 5])
        return self.head(self.mix(tokens).mean(1))


@pytest.mark.parametrize("how", ["reshape", "expand", "arange"])
def test_networks_that_know_how_many_pictures_they_got(how: str) -> None:
    net = Tokens(how)
    model, x = model_of(net), picture()
    (found,) = attribute(model, "head", [2], x, ["patches"])
    (share,) = found.shares
    weight = net.head.weight[2] @ net.mix.weight
    with torch.no_grad():
        maps = net.patches(x)[0]
    expected = weight[:, None, None] * maps / 16
    if how == "expand":
        expected = expected * 16 / 17
    if how == "arange":
        expected = torch.zeros_like(maps)
        expected.flatten(1)[:, 5] = weight * maps.flatten(1)[:, 5]
    assert torch.allclose(share.values, expected, atol=1e-4)
    assert share.baseline + share.values.sum() == pytest.approx(found.target, rel=1e-4)
    assert (share.start, share.points) == ("zero", 10)


class BehindNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 6, 4, 4), nn.LayerNorm(6)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.first(x).mean((2, 3))))


def test_behind_a_norm_over_units_the_path_begins_at_a_plain_picture() -> None:
    net = BehindNorm()
    model, x = model_of(net), picture()
    with torch.no_grad():
        plain = x.mean((2, 3), keepdim=True).expand_as(x)
        start, end = net.first(plain)[0], net.first(x)[0]
        baseline = net(plain)[0]
        # The mean gradient, from many finite differences along the way.
        steps = [start + (k + 0.5) / 400 * (end - start) for k in range(400)]
    for found in attribute(model, "head", [0, 1, 2], x, ["first"]):
        (share,) = found.shares
        assert share.start == "plain"
        assert share.baseline == pytest.approx(baseline[found.unit].item(), rel=1e-4)
        assert abs(share.missed(found.target)) < 0.05 * abs(found.target - share.baseline)
        expected = torch.zeros(6)
        for at in steps:
            at = at.clone().requires_grad_(True)
            answer = net.head(net.norm(at.mean((1, 2))))[found.unit]
            (gradient,) = torch.autograd.grad(answer, at)
            expected += (gradient * (end - start)).sum((1, 2)) / 400
        assert torch.allclose(share.units, expected, atol=0.05 * expected.abs().max().item())


def test_a_curved_way_gets_more_points() -> None:
    class Steep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.last((3 * self.first(x)).sinh())

    model, x = model_of(Steep()), picture()
    (found,) = attribute(model, "last", [0], x, ["first"], path=2)
    (share,) = found.shares
    assert (share.start, share.points) == ("zero", 8)
    assert share.is_complete(found.target)


def test_what_no_path_explains_is_said() -> None:
    class Stepping(nn.Module):
        """Rounded: it has no gradient anywhere, but is another value elsewhere."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            return self.last((4 * y).round() + 0 * y)

    model, x = model_of(Stepping()), picture()
    (found,) = attribute(model, "last", [0], x, ["first"])
    stored = as_result(found)
    (node,) = stored.nodes
    assert node.total == pytest.approx(0, abs=1e-6)
    assert node.missed == pytest.approx(found.target - node.baseline, rel=1e-3)
    assert node.misses_too_much(found.target)
    again = AttributionResult.from_json(stored.to_json(), {})
    assert again == stored
    old = stored.to_json()
    for name in ("start", "points", "missed"):
        del old["nodes"][0][name]
    (read,) = AttributionResult.from_json(old, {}).nodes
    assert (read.start, read.points) == ("zero", 0)
    assert read.missed == pytest.approx(node.missed, rel=1e-3), "of results that do not say it"


def test_many_points_go_through_in_several_passes() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Tanh(), nn.Conv2d(4, 2, 1))
    model, x = model_of(net), picture()
    with torch.no_grad():
        given = model.run(x, ["0"])["0"]
    nothing = torch.zeros_like(given)
    few, many = (
        integrate_along(model, x, "0", given, "zero", nothing, "2", {0: 7}, n)[0].share
        for n in (60, 200)
    )
    assert torch.allclose(few.values, many.values, atol=1e-3)
    assert many.baseline == pytest.approx(few.baseline, rel=1e-5)


@pytest.fixture(scope="module")
def vit() -> Model:
    return load("toytown_vit")


@pytest.mark.parametrize("node", ["logits", "blocks.1", "blocks.3.class", "blocks.2.mlp.act"])
def test_a_transformers_contributions_add_up_at_each_node(vit: Model, node: str) -> None:
    job = LENS.jobs(vit, images=["owl"])[0]
    _, *done = LENS.run(vit, node, [0, 18], job)
    for one in done:
        target = one.data["target"]
        assert one.data["nodes"]
        for part in one.data["nodes"]:
            there_is = max(abs(target), abs(target - part["baseline"]))
            miss = target - part["baseline"] - part["total"]
            assert abs(miss) <= 0.051 * there_is, part["node"]
            assert part["missed"] == pytest.approx(miss, abs=1e-3 * there_is)
