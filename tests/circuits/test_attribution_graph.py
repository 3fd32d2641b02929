"""Attribution graphs against edges worked out by hand, by autograd and by changing values."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from micrograph import Model, load
from micrograph.circuits.attribution_graph import attribution_graph
from micrograph.circuits.graph import AttributionGraph
from micrograph.errors import BadInput, NotFound
from micrograph.models.replacing import replaced


class Skip(nn.Module):
    """a, b made of a, and c of their sum: a reaches c past b, too."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)
        self.ra, self.rb, self.c = nn.ReLU(), nn.ReLU(), nn.Linear(4, 5)

    def forward(self, x):
        a = self.ra(self.a(x))
        return self.c((self.rb(self.b(a)) + a).mean((2, 3)))


class Branches(nn.Module):
    """A concatenation of three branches, one of them a pool, read by a convolution."""

    def __init__(self):
        super().__init__()
        self.stem, self.rs = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(inplace=True)
        self.one, self.two = nn.Conv2d(6, 4, 1), nn.Conv2d(6, 4, 3, padding=2, dilation=2, groups=2)
        self.pool, self.last = nn.MaxPool2d(3, 1, 1), nn.Conv2d(14, 3, 3, stride=2)

    def forward(self, x):
        x = self.rs(self.stem(x))
        x = torch.cat((F.relu(self.one(x)), F.relu_(self.two(x)), self.pool(x)), 1)
        return self.last(x)


class Bent(nn.Module):
    """All sorts of what is not linear: gates, products, norms over units, attention."""

    def __init__(self):
        super().__init__()
        self.patch, self.norm = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.up, self.down = nn.Linear(8, 32), nn.Linear(16, 8)
        self.squeeze, self.group = nn.Linear(8, 8), nn.GroupNorm(2, 8)
        self.mix, self.head = nn.Conv2d(8, 8, 1), nn.Linear(8, 4)

    def forward(self, x):
        x = F.local_response_norm(self.patch(x), 3)
        t = x.flatten(2).transpose(1, 2)
        n = self.norm(t)
        t = t + self.attention(n, n, n, need_weights=False)[0]
        t = t + self.down(F.glu(self.up(t)))
        t = t * torch.rsqrt(t.pow(2).mean(-1, keepdim=True) + 1e-6)
        x = t.transpose(1, 2).view(x.shape)
        x = self.group(F.silu(self.mix(x), inplace=True))
        x = x * torch.sigmoid(self.squeeze(x.mean((2, 3))))[..., None, None]
        x = F.gelu(x) + F.softplus(x) * x
        return self.head(F.adaptive_max_pool2d(x, 1).flatten(1))


def net(kind, size=16):
    torch.manual_seed(0)
    return Model.of(kind(), id="net", preprocessing=f"{size},-1..1")


def picture(size=16, seed=1):
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


ALL = {"keep_nodes": 1.0, "keep_edges": 1.0, "follow": 1000}


def weights(graph):
    return {(edge.source, edge.target): edge.weight for edge in graph.edges}


def test_edges_of_a_skip_path_are_those_worked_out_by_hand():
    model, x = net(Skip), picture()
    graph = attribution_graph(model, x, "c/2", ["ra", "rb"], **ALL)
    values = {name: v[0] for name, v in model.run(x, ["ra", "rb", "c"]).items()}
    module, found = model.module, weights(graph)
    for unit in range(4):
        for name in ("ra", "rb"):
            by_hand = module.c.weight[2, unit] * values[name][unit].mean()
            assert found.get((f"{name}/{unit}", "c/2"), 0.0) == pytest.approx(
                by_hand.item(), abs=1e-6
            )
    on = (values["rb"] > 0).float()
    for source in range(4):
        alone = torch.zeros_like(values["ra"])
        alone[source] = values["ra"][source]
        given = (F.conv2d(alone[None], module.b.weight, padding=1)[0] * on).flatten(1).sum(1)
        for target in range(4):
            edge = found.get((f"ra/{source}", f"rb/{target}"), 0.0)
            assert edge == pytest.approx(given[target].item(), abs=1e-5)
    target = graph.node("c/2")
    assert target.constant == pytest.approx(module.c.bias[2].item(), abs=1e-6)
    assert target.value == pytest.approx(values["c"][2].item(), abs=1e-6)


def test_an_edge_is_what_changing_its_source_does_with_the_other_nodes_held():
    """Near enough that no ReLU and no pool changes sides, a network of these is linear."""
    model, x = net(Branches), picture()
    graph = attribution_graph(model, x, "last/1", ["rs", "cat"], **ALL)
    cat = model.node("cat").id
    held = model.run(x, ["rs", cat])
    last = graph.node("last/1")
    found, y, small = weights(graph), last.position, 1e-2
    plain = model.run(x, ["last"])["last"][0, 1][y].item()
    for unit in range(14):
        less = held[cat].clone()
        less[:, unit] *= 1 - small
        with replaced(model, cat, less):
            there = model.run(x, ["last"])["last"][0, 1][y]
        lost = (plain - there.item()) / small
        assert found.get((f"{cat}/{unit}", "last/1"), 0.0) == pytest.approx(lost, abs=1e-4)
    assert not any(source.startswith("rs/") and target == "last/1" for source, target in found)
    reading = [node.unit for node in graph.nodes if node.node == cat]
    assert len(reading) > 7
    for unit in range(6):
        less = held["rs"].clone()
        less[:, unit] *= 1 - 1e-3
        with replaced(model, "rs", less):
            there = model.run(x, [cat])[cat][0].double()
        lost = (held[cat][0] - there).flatten(1).sum(1) / 1e-3
        for target in reading:
            edge = found.get((f"rs/{unit}", f"{cat}/{target}"), 0.0)
            assert edge == pytest.approx(lost[target].item(), abs=0.02)


def completed(graph):
    """For each node whose inputs are known: what is told of it together, less its value."""
    for node in graph.nodes:
        if node.followed:
            edges = sum(edge.weight for edge in graph.edges if edge.target == node.id)
            yield edges + node.others_sum + node.constant + node.error - node.value, node.value


@pytest.mark.parametrize("kind", [Skip, Branches, Bent])
def test_edges_and_constants_are_the_value(kind):
    model, x = net(kind), picture()
    last = list(model.nodes)[-1]
    graph = attribution_graph(model, x, (last, 0), keep_nodes=0.9, follow=1000)
    assert graph.missed < 1e-5
    assert graph.notes == ()
    for missing, value in completed(graph):
        assert abs(missing) < 1e-4 * max(1, abs(value))


def test_a_target_that_nothing_reaches_is_told():
    model = net(Skip)
    model.module.c.weight.zero_()
    graph = attribution_graph(model, picture(), "c/1", ["ra", "rb"])
    assert graph.notes == ("nothing that was chosen gives anything to c/1 here",)
    assert graph.edges == ()
    assert graph.nodes[-1].constant == pytest.approx(model.module.c.bias[1].item())


def test_what_is_not_held_is_told():
    class Cubes(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 1), nn.Linear(4, 2)

        def forward(self, x):
            x = self.a(x).mean((2, 3))
            return self.b(torch.log1p(x.abs()))

    graph = attribution_graph(net(Cubes), picture(), "b/0", ["a"], **ALL)
    assert graph.missed > 0.01
    assert "not held affine" in graph.notes[0]
    assert graph.node("b/0").error != 0


@pytest.mark.parametrize(("name", "target"), [("toytown", "mixed4b/7"), ("toytown_vit", "car")])
def test_networks_that_ship_are_complete(name, target):
    graph = attribution_graph(load(name), "car", target, follow=8)
    assert graph.missed < 1e-4
    assert graph.nodes[0].id == "picture"
    assert graph.nodes[-1].kind == "target"
    for missing, value in completed(graph):
        assert abs(missing) < 1e-3 * max(1, abs(value))


def test_latents_and_what_they_leave_unexplained_are_all_there_is():
    model, x = load("toytown"), picture(96)
    torch.manual_seed(0)
    node = model.attach("mixed4a", torch.randn(20, 152) / 12, name="few")
    graph = attribution_graph(
        model, x, "mixed4b/7", ["mixed3b", "mixed4a"], dictionaries=[node.id], **ALL
    )
    found = weights(graph)
    into = [source for source, target in found if target == "mixed4b/7"]
    assert "mixed4a.few/unexplained" in into
    assert any(source.startswith("mixed4a.few/") for source in into)
    assert not any(source.startswith("mixed4a/") for source in into)
    assert graph.missed < 1e-4
    plain = attribution_graph(model, x, "mixed4b/7", ["mixed4a"], **ALL)
    together = sum(weight for (_, target), weight in found.items() if target == "mixed4b/7")
    as_units = sum(weight for (_, target), weight in weights(plain).items() if "4b/7" in target)
    assert together == pytest.approx(as_units, rel=1e-3)


def test_a_branch_of_the_target_keeps_its_own_values():
    """Before the target's ReLUs, which are those of its branches, a branch would be another."""
    model, x = load("toytown"), picture(96)
    branch = next(
        n.id
        for n in model.nodes.values()
        if n.id.startswith("mixed4a_3x3") and n.relus and n.id in model.nodes["mixed4a"].parents
    )
    unit = 70
    graph = attribution_graph(model, x, f"mixed4a/{unit}", ["mixed3b", branch], **ALL)
    there = model.run(x, [branch, "mixed4a"])
    assert graph.nodes[-1].value == pytest.approx(there["mixed4a"][0, unit].max().item(), rel=1e-5)
    own = [node for node in graph.nodes if node.node == branch]
    assert own
    for node in own:
        value = there[branch][0, node.unit].sum().item()
        assert node.value == pytest.approx(value, rel=1e-4, abs=1e-3)


def test_positions_add_up_to_units():
    model, x = net(Skip), picture()
    units = attribution_graph(model, x, "c/2", ["ra", "rb"], **ALL)
    places = attribution_graph(model, x, "c/2", ["ra", "rb"], positions=True, **ALL)
    summed = {}
    for (source, target), weight in weights(places).items():
        if target == "c/2":
            name = source.split("@")[0]
            summed[name] = summed.get(name, 0) + weight
    by_unit = {s: w for (s, t), w in weights(units).items() if t == "c/2"}
    assert summed.keys() == by_unit.keys()
    assert all(summed[name] == pytest.approx(by_unit[name], abs=1e-5) for name in summed)
    assert places.node("rb/1@0,0").position == (0, 0)


def test_it_comes_back_from_its_json():
    import json

    graph = attribution_graph(net(Skip), picture(), "c/2", ["ra"])
    assert AttributionGraph.from_json(json.loads(json.dumps(graph.to_json()))) == graph
    with pytest.raises(BadInput, match="no attribution graph"):
        AttributionGraph.from_json({"nodes": []})


@pytest.mark.parametrize(
    ("target", "options", "error", "words"),
    [
        ("c/9", {}, BadInput, "no unit of c; expected c/0 to c/4"),
        ("d/0", {}, NotFound, "unknown node"),
        ("ra/0", {"nodes": ["rb"]}, BadInput, "rb is not before ra"),
        ("c/0", {"nodes": ["c"]}, BadInput, "c is not before c"),
        ("c/0", {"keep_nodes": 0}, BadInput, "keep_nodes 0"),
        ("c/0", {"follow": 0}, BadInput, "follow 0"),
        ("car", {}, BadInput, "no named classes"),
        ("c/0", {"dictionaries": ["ra"]}, BadInput, "is no dictionary's"),
    ],
)
def test_what_makes_no_sense_is_refused(target, options, error, words):
    with pytest.raises(error, match=words):
        attribution_graph(net(Skip), picture(), target, **options)


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(BadInput, match=r"expected floating-point RGB \[1, 3, 16, 16\]"):
        attribution_graph(net(Skip), torch.rand(3, 20, 16), "c/0")
