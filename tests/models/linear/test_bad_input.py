"""What `micrograph.weights` refuses, each in one line, and parts of a network that need care."""

import pytest
import torch
from linear_nets import Attending, Functional, Normed
from nets import under_microscope
from torch import Tensor, nn

import micrograph
from micrograph import load
from micrograph.errors import MicrographError, NotFound
from micrograph.models.model import Model


class Branches(nn.Module):
    """Two branches that never meet, and what no linear operation is near to."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)
        self.behind, self.last = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.behind(self.a(x))
        return y + self.last(torch.special.bessel_j0(self.b(x)))


@pytest.fixture(scope="module")
def plain() -> Model:
    return under_microscope(Functional())


@pytest.fixture(scope="module")
def branches() -> Model:
    return under_microscope(Branches())


def refusal(model: Model, *nodes: str, **options: object) -> str:
    with pytest.raises(MicrographError) as caught:
        micrograph.weights(model, *nodes, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Replaced(nn.Module):
    """The second convolution reads a value that is the first one's by `set_`, or by `resize_`."""

    def __init__(self, change: str) -> None:
        super().__init__()
        self.change = change
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.a(x)
        if self.change == "set":
            return self.b(torch.empty_like(y).set_(y))  # type: ignore[arg-type]
        return self.b(y.resize_(y.shape))


@pytest.mark.parametrize("change", ["set", "resize"])
def test_operations_without_a_derivative(change: str) -> None:
    said = refusal(under_microscope(Replaced(change)), "a", "b")
    assert said.startswith(f"the network uses aten::{change} on the way, which has no derivative")


def test_paths(plain: Model, branches: Model) -> None:
    assert refusal(plain, "a", "first") == ("a lies behind first; give the earlier node as source")
    assert refusal(plain, "a", "a") == "a was given as source and as target; expected two nodes"
    assert refusal(branches, "b", "behind") == (
        "no path leads from b to behind; expected a node before behind"
    )
    assert refusal(branches, "b", "last") == (
        "from b to last: special_bessel_j0 in the network behind b: it is not linear, and nothing "
        "linear near it is known"
    )
    with pytest.raises(NotFound, match="unknown node 'nowhere'"):
        micrograph.weights(plain, "nowhere", "a")


def test_units(plain: Model) -> None:
    with pytest.raises(NotFound, match="unit 6 is out of range: net/c has units 0-5"):
        micrograph.weights(plain, "first", "c", units=[0, 6])
    with pytest.raises(NotFound, match="unit 4 is out of range: net/first has units 0-3"):
        micrograph.weights(plain, "first", "c", sources=4)
    assert "no unit of c given" in refusal(plain, "first", "c", units=[])
    assert "unit 'x' given; expected a number" in refusal(plain, "first", "c", units=["x"])


def test_sizes(plain: Model) -> None:
    assert refusal(plain, "first", "c", budget=100) == (
        "the kernels from first to c are 6 x 4 x 7 x 7 weights, 4,704 bytes, and the budget is "
        "100; ask for fewer units or sources, or give a larger budget"
    )
    assert "budget '0' given; expected a number of bytes" in refusal(plain, "first", "c", budget=0)
    assert "position '(99, 0)' given; expected (y, x) within the 32 x 32 positions of c" in refusal(
        plain, "first", "c", position=(99, 0)
    )


def test_references() -> None:
    normed, attending = under_microscope(Normed()), under_microscope(Attending(), 12)
    assert refusal(normed, "first", "c").endswith("in groups): pass reference=")
    assert refusal(normed, "first", "groups") == (
        "from first to groups: a norm without running statistics needs a reference picture "
        "(native_group_norm in groups): pass reference="
    )
    assert "an attention pattern needs a reference picture" in refusal(attending, "first", "c")
    given = refusal(normed, "first", "c", reference=torch.rand(2, 3, 32, 32))
    assert "expected one picture, floating-point RGB [3, y, x] in 0..1" in given
    assert "reference of type int given" in refusal(normed, "first", "c", reference=3)


def test_a_class_token_and_the_map_beside_it_are_apart() -> None:
    model = load("toytown_vit")
    assert refusal(model, "blocks.0.add", "blocks.0.add.class") == (
        "no path leads from blocks.0.add to blocks.0.add.class; expected a node before "
        "blocks.0.add.class"
    )
    assert "no path leads" in refusal(model, "blocks.0.add.class", "blocks.0.mlp.hidden")


def test_nothing_is_left_behind(plain: Model) -> None:
    micrograph.weights(plain, "first", "c")
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in plain.module.modules())
    assert torch.backends.mha.get_fastpath_enabled()
