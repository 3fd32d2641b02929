"""Networks whose passes are no functions of each picture alone: what is found, and what is done."""

import random
import time
from collections import deque
from typing import Any

import nets
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from micrograph import optimize as opt
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.models.replacing import replaced
from micrograph.models.running.passes import Passes

SHELF: list[Tensor] = []


class Two(nn.Module):
    """Two convolutions with something in between."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nets.conv(), nets.conv(4)

    def between(self, x: Tensor) -> Tensor:
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.between(self.a(x)))


class Live(Two):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(4, track_running_stats=False)

    def between(self, x: Tensor) -> Tensor:
        return self.norm(x)


class Written(Two):
    """Batch statistics that go into buffers: torch does not count that as a change of them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("var", torch.ones(4))

    def between(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.mean, self.var, training=True)


class Largest(Two):
    def between(self, x: Tensor) -> Tensor:
        return x / x.abs().max()


class Dropout(Two):
    def between(self, x: Tensor) -> Tensor:
        return F.dropout(x)  # which is on by default


class Bernoulli(Two):
    def between(self, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full((len(x), 4, 1, 1), 0.5))


class OfNumpy(Two):
    def between(self, x: Tensor) -> Tensor:
        return x + float(np.random.randn())


class OfPython(Two):
    def between(self, x: Tensor) -> Tensor:
        return x * random.random()


class OwnGenerators(Two):
    def __init__(self) -> None:
        super().__init__()
        self.torchs, self.numpys = torch.Generator().manual_seed(3), np.random.default_rng(0)

    def between(self, x: Tensor) -> Tensor:
        return x * (1 + torch.rand(1, generator=self.torchs)) * (1 + self.numpys.random())


class Counting(Two):
    calls = 0

    def between(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x * self.calls


class MovingAverage(Two):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(4))

    def between(self, x: Tensor) -> Tensor:
        self.centre = 0.9 * self.centre + 0.1 * x.mean((0, 2, 3)).detach()
        return x * (1 + self.centre[:, None, None])


class StartsWithData(Two):
    """As ActNorm: what the first pass sees stays."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("begun", torch.zeros(()))
        self.register_buffer("centre", torch.zeros(4))

    def between(self, x: Tensor) -> Tensor:
        if not self.begun:
            self.centre.copy_(x.mean((0, 2, 3)).detach())
            self.begun.fill_(1)
        return x - self.centre[:, None, None]


class OneOnly(Two):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).mean((2, 3)).view(1, 4)


class Skipping(nn.Module):
    """A U-Net that lays a map by on its way down, in one of several places."""

    def __init__(self, shelf: Any = None) -> None:
        super().__init__()
        self.down, self.deep = nets.conv(), nn.Conv2d(4, 8, 3, 2, 1)
        self.up, self.last = nn.Upsample(scale_factor=2), nets.conv(12)
        self.shelf = shelf

    def put(self, x: Tensor) -> None:
        self.shelf.append(x)

    def take(self) -> Tensor:
        return self.shelf.popleft() if isinstance(self.shelf, deque) else self.shelf.pop(0)

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(x)
        self.put(y)
        return self.last(torch.cat([self.up(self.deep(y)), self.take()], 1))


class Shelf:
    def __init__(self) -> None:
        self.kept: dict[str, list[Tensor]] = {"maps": []}

    def append(self, x: Tensor) -> None:
        self.kept["maps"].append(x)

    def pop(self, at: int) -> Tensor:
        return self.kept["maps"].pop(at)


class Global(Skipping):
    def forward(self, x: Tensor) -> Tensor:
        y = self.down(x)
        SHELF.append(y)
        return self.last(torch.cat([self.up(self.deep(y)), SHELF.pop(0)], 1))


class Hooked(Skipping):
    def __init__(self) -> None:
        super().__init__()
        found: list[Tensor] = []
        self.down.register_forward_hook(lambda module, inputs, output: found.append(output))
        self.taken = lambda: found.pop(0)

    def put(self, x: Tensor) -> None:
        pass

    def take(self) -> Tensor:
        return self.taken()


class Frozen(nn.Module):
    """A backbone without gradients, and a head."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.backbone = nn.Sequential(nets.conv(), nn.ReLU(), nets.conv(4))
        self.head = nn.Linear(4, 3)

    def features(self, x: Tensor) -> Tensor:
        if self.how == "no_grad":
            with torch.no_grad():
                return self.backbone(x)
        if self.how == "set_grad_enabled":
            with torch.set_grad_enabled(False):
                return self.backbone(x)
        if self.how == "inference_mode":
            with torch.inference_mode():
                return self.backbone(x)
        if self.how == "decorator":
            return torch.no_grad()(self.backbone)(x)
        return checkpoint(self.backbone, x, use_reentrant=self.how == "reentrant")

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


class Detached(Frozen):
    def features(self, x: Tensor) -> Tensor:
        return self.backbone(x).detach()


def pictures(count: int = 3) -> Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def opened(net: nn.Module) -> Model:
    generator = torch.Generator().manual_seed(0)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3, generator=generator)
    return nets.under_microscope(net)


class Table(Two):
    """A table that is filled when it is needed first, and again after it was moved."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, Tensor] = {}

    def between(self, x: Tensor) -> Tensor:
        return x * self.tables.setdefault(str(x.device), torch.full((1,), 2.0))


def test_tables_that_are_filled_once_stay() -> None:
    model = opened(Table())
    model.nodes  # noqa: B018 - fills it
    model.module.tables.clear()
    assert model.passes == Passes()
    assert list(model.module.tables) == ["cpu"]


def test_most_networks_need_nothing() -> None:
    for net in (nets.Residual(), nets.Concatenated(), nets.Reused(), Two()):
        assert nets.under_microscope(net).passes == Passes()
    assert Passes().remarks() == []


IMPURE = [
    (Live, {"beside": "norm", "alone": True}),
    (Written, {"beside": "b", "alone": True}),
    (Largest, {"beside": "b", "alone": True}),
    (Dropout, {"random": "b", "alone": True}),
    (Bernoulli, {"random": "b", "alone": True}),
    (OfNumpy, {"random": "b", "alone": True}),
    (OfPython, {"random": "b", "alone": True}),
    (OwnGenerators, {"carried": "b"}),
    (Counting, {"carried": "b"}),
    (MovingAverage, {"carried": "b", "beside": "b"}),
    (StartsWithData, {"beside": "b"}),
    (OneOnly, {"alone": True}),
]


@pytest.mark.parametrize(("kind", "known"), IMPURE, ids=[kind.__name__ for kind, _ in IMPURE])
def test_each_picture_counts_for_itself(kind: type[nn.Module], known: dict[str, Any]) -> None:
    net = kind()
    model = opened(net)
    before = {name: t.clone() for name, t in net.state_dict().items()}
    draws = torch.get_rng_state()
    last = list(model.nodes)[-1]
    x = pictures()
    together = model.run(x, ["a", last])
    alone = [model.run(x[k : k + 1], [last])[last] for k in (2, 0, 1)]
    assert torch.allclose(together[last], torch.cat([alone[1], alone[2], alone[0]]), atol=1e-5)
    assert torch.equal(model.run(x, [last])[last], together[last])
    assert torch.equal(torch.get_rng_state(), draws), "nobody else's draws are changed"
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
    found = vars(model.passes)
    assert {name: found[name] for name in known} == known
    assert found["unsteady"] == ""
    assert all("\n" not in line for line in model.passes.remarks())
    assert model.passes.remarks()


def test_a_picture_alone_is_what_the_network_makes_of_it() -> None:
    net = Live()
    model = opened(net)
    x = pictures(2)
    with torch.no_grad():
        expected = torch.cat([net(x[:1]), net(x[1:])])
    assert torch.allclose(model.run(x, ["b"])["b"], expected, atol=1e-6)


def test_the_remark_names_the_node() -> None:
    (line,) = opened(Dropout()).passes.remarks()
    assert line.startswith("b differs from pass to pass, because random numbers are drawn")
    (line,) = opened(Live()).passes.remarks()
    assert line.startswith("norm depends on which pictures are beside one")


@pytest.mark.parametrize(
    "net",
    [Skipping([]), Skipping(deque()), Skipping(Shelf()), Global(), Hooked()],
    ids=["list", "deque", "object", "global", "hook"],
)
def test_a_pass_that_stops_early_leaves_nothing_behind(net: Skipping) -> None:
    model = opened(net)
    last = list(model.nodes)[-1]
    x = pictures(1)
    with torch.no_grad():
        right = net(x)
        for node in model.nodes:
            model.run(torch.zeros_like(x), [node])
            assert torch.equal(model.run(x, [last])[last], right), node
        assert torch.equal(net(x), right)


def test_what_somebody_collects_with_hooks_is_theirs() -> None:
    net = Two()
    model = opened(net)
    found: list[Tensor] = []
    model.nodes  # noqa: B018 - watched before
    net.a.register_forward_hook(lambda module, inputs, output: found.append(output))
    model.run(pictures(1), ["a"])
    assert len(found) == 1, "the probe's own passes are not in it"


HOW = ["no_grad", "set_grad_enabled", "inference_mode", "decorator", "reentrant", "not reentrant"]


@pytest.mark.parametrize("how", HOW)
def test_gradients_go_through_what_switches_them_off(how: str) -> None:
    plain = opened(nn.Sequential(nets.conv(), nn.ReLU(), nets.conv(4)))
    model = opened(Frozen(how))
    model.module.backbone.load_state_dict(plain.module.state_dict())
    nodes = {"backbone.0": "0", "backbone.1": "1", "backbone": "2"}
    assert nodes.keys() <= model.nodes.keys()
    for node, same in nodes.items():
        x, y = (pictures(1).requires_grad_(True) for _ in range(2))
        mine = model.run(x, [node], pre_relu=node == "backbone.1")[node]
        (found,) = torch.autograd.grad(mine.square().sum(), x)
        own = plain.run(y, [same], pre_relu=same == "1")[same]
        (expected,) = torch.autograd.grad(own.square().sum(), y)
        assert torch.allclose(found, expected, atol=1e-5), node
    assert torch.is_grad_enabled()
    if how in HOW[:4]:
        assert model.passes.opened == "backbone.0"
        x = pictures(1).requires_grad_(True)
        assert not model.module.features(x).requires_grad, "outside our passes it is as it was"
    else:
        assert model.passes.checkpoints
        assert model.passes.remarks() == []


def test_what_is_detached_is_refused_in_one_line_where_a_gradient_is_wanted() -> None:
    model = opened(Detached("detach"))
    assert model.passes.severed == ("head",)
    assert model.passes.remarks()[0].startswith("no gradient leads from head to the picture")
    settings = opt.Settings(size=32, steps=2)
    with pytest.raises(BadInput, match="no gradient leads from head of net to the picture"):
        opt.optimize(model, opt.channel("head", 0), settings)
    assert opt.optimize(model, opt.channel("backbone", 0), settings).scores.isfinite().all()


def test_what_cannot_be_mended_is_said() -> None:
    class Clock(Two):
        def between(self, x: Tensor) -> Tensor:
            return x * (1 + time.perf_counter_ns() % 1000)

    model = opened(Clock())
    with pytest.warns(UserWarning, match="net: b differs between equal passes"):
        assert model.passes.unsteady == "b"


def test_values_that_stand_in_meet_their_pictures_one_at_a_time() -> None:
    net = Live()
    model = opened(net)
    values = torch.rand(3, 4, 32, 32, requires_grad=True)
    with replaced(model, "a", values):
        found = model.run(pictures(1), ["b"])["b"]
    with torch.no_grad():
        expected = torch.cat([net.b(net.norm(values[k : k + 1])) for k in range(3)])
    assert torch.allclose(found, expected, atol=1e-5)
    (gradient,) = torch.autograd.grad(found.square().sum(), values)
    assert gradient.abs().amax((1, 2, 3)).min() > 0


def test_the_same_recipe_gives_the_same_whatever_is_beside_it() -> None:
    model = opened(Live())
    settings = opt.Settings(size=32, steps=4, precision="fp32")
    both = opt.optimize(model, opt.channel("b", [0, 1]), settings, seeds=[(0, 0), (0, 1)])
    one = opt.optimize(model, opt.channel("b", [1]), settings, seeds=[(0, 1)])
    assert torch.allclose(both.scores[1:], one.scores, rtol=1e-3)
