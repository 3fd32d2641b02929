"""Which weights make and read a unit: against autograd, on nets of every build."""

import pytest
import torch
from torch import Tensor, nn

from micrograph import Model, Preprocessing, load
from micrograph.errors import Unavailable
from micrograph.models.connections import incoming, outgoing


def model_of(module: nn.Module) -> Model:
    return Model.of(module, id="net", preprocessing=Preprocessing(16, 16))


class Wrapped(nn.Module):
    """Convolution, norm and a functional ReLU, as torchvision's Inception has them."""

    def __init__(self, inputs: int, units: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, units, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(units)
        nn.init.normal_(self.bn.weight)
        nn.init.uniform_(self.bn.running_var, 0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x)))


class Join(nn.Module):
    def forward(self, *parts: Tensor) -> Tensor:
        return torch.cat(parts, 1)


class Add(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Branched(nn.Module):
    """Two branches, joined in the order that is not the order of their calls."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3)
        self.small = Wrapped(4, 5, 1)
        self.large = Wrapped(4, 7, 3)
        self.joined = Join()
        self.pool = nn.MaxPool2d(2)
        self.last = nn.Conv2d(12, 6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        small, large = self.small(x), self.large(x)
        y: Tensor = self.last(self.pool(self.joined(large, small)))
        return y


@pytest.fixture
def branched() -> Model:
    torch.manual_seed(0)
    return model_of(Branched())


def test_a_plain_convolution_has_its_rows(branched: Model) -> None:
    (part,) = incoming(branched, "stem")
    assert part.first == 0
    assert torch.equal(part.weights, branched.module.get_parameter("stem.weight").flatten(1))


def test_norms_are_multiplied_in_as_gradients_say(branched: Model) -> None:
    wrapped = branched.module.get_submodule("small")
    (part,) = incoming(branched, "small")
    x = torch.zeros(1, 4, 1, 1, requires_grad=True)
    before_relu = wrapped.get_submodule("bn")(wrapped.get_submodule("conv")(x))
    for unit in range(5):
        (slope,) = torch.autograd.grad(before_relu[0, unit, 0, 0], x, retain_graph=True)
        assert torch.allclose(part.weights[unit], slope.flatten(), atol=1e-6)


def test_a_concatenation_has_a_part_per_branch_in_its_own_order(branched: Model) -> None:
    parts = incoming(branched, "joined")
    assert [(p.first, tuple(p.weights.shape)) for p in parts] == [(0, (7, 36)), (7, (5, 4))]
    assert torch.equal(parts[1].weights, incoming(branched, "small")[0].weights)


def test_a_concatenation_of_concatenations_has_all_their_parts() -> None:
    class Nested(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = (nn.Conv2d(3, n, 1) for n in (2, 3, 4))
            self.inner, self.outer = Join(), Join()

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.outer(self.c(x), self.inner(self.b(x), self.a(x)))
            return y

    net = Nested()
    parts = incoming(model_of(net), "outer")
    assert [p.first for p in parts] == [0, 4, 7]
    for part, conv in zip(parts, (net.c, net.b, net.a), strict=True):
        assert torch.equal(part.weights, conv.weight.flatten(1))


def test_outgoing_weights_are_followed_through_concatenation_and_pool(branched: Model) -> None:
    weights = branched.module.get_parameter("last.weight")  # [out, in, y, x]
    small = outgoing(branched, "small")
    assert torch.equal(small, weights[:, 7:].transpose(0, 1).flatten(1))
    # All readers together: the stem is read by both branches.
    stem = outgoing(branched, "stem")
    assert stem.shape == (4, 5 + 7 * 9)


def test_flattened_maps_are_read_unit_by_unit() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 14 * 14, 5))
    found = outgoing(model_of(module), "0")
    weights = module[2].weight.detach().reshape(5, 4, 196).transpose(0, 1).flatten(1)
    assert found.shape == weights.shape
    assert torch.allclose(found @ found.T, weights @ weights.T), "alike but for the order"


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)
        self.sum = Add()

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y: Tensor = self.sum(self.b(x), x)
        return y * 1


@pytest.mark.parametrize(
    ("module", "node", "reason"),
    [
        (nn.Sequential(nn.Conv2d(3, 3, 3, groups=3), nn.ReLU()), "0", "in 3 groups"),
        (nn.Sequential(nn.Conv2d(3, 3, 3, groups=3), nn.ReLU()), "1", "in 3 groups"),
        (nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(3, 4, 1)), "0", "not the output of one"),
        (nn.Sequential(nn.ConvTranspose2d(3, 4, 3), nn.ReLU()), "0", "not the output of one"),
        (Residual(), "sum", "mixes a, b"),
    ],
)
def test_nodes_without_weights_of_their_own_are_refused(
    module: nn.Module, node: str, reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason):
        incoming(model_of(module), node)


def test_readers_that_cannot_be_followed_are_refused() -> None:
    with pytest.raises(Unavailable, match="mixes a, b"):
        outgoing(model_of(Residual()), "a")
    with pytest.raises(Unavailable, match="nothing reads"):
        outgoing(model_of(nn.Sequential(nn.Conv2d(3, 4, 1))), "0")


def test_every_node_of_toytown_with_units_of_its_own_is_understood() -> None:
    model = load("toytown")
    for node in model.nodes.values():
        parts = incoming(model, node.id)
        assert sum(len(p.weights) for p in parts) == node.units
        if node.kind != "logits":
            assert len(outgoing(model, node.id)) == node.units
