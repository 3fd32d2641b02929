"""Weights between units, against the whole Jacobian of autograd."""

import pytest
import torch
from linear_nets import HELD, LINEAR, Bent
from nets import under_microscope
from torch import Tensor, nn

import micrograph
from micrograph import Weights
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.models.replacing import replaced

SIZE = 14


def jacobian(model: Model, source: str, target: str) -> Tensor:
    """[unit, y, x, source unit, y, x] of the network as it is, at zero."""
    node = model.nodes[source]
    values = torch.zeros(node.units, *node.shape)
    picture = torch.zeros(1, 3, SIZE, SIZE)

    def answer(there: Tensor) -> Tensor:
        with replaced(model, source, there[None]):
            return model.run(picture, [target])[target][0]

    return torch.autograd.functional.jacobian(answer, values, vectorize=True)


def matches(found: Weights, whole: Tensor) -> int:
    """How many positions of the target the kernels were compared at; they agree."""
    rows, columns, _, height, width = whole.shape[1:]
    compared = 0
    for y in range(rows):
        for x in range(columns):
            if found.position not in (None, (y, x)):
                continue
            top, left = found.start(y, x)
            down, right = found.kernels.shape[2:]
            if top < 0 or left < 0 or top + down > height or left + right > width:
                continue
            here = whole[:, y, x].clone()
            box = here[:, :, top : top + down, left : left + right]
            assert torch.allclose(found.kernels, box, rtol=1e-5, atol=1e-6)
            box.zero_()
            assert here.abs().max() <= 1e-6, "the kernel leaves something out"
            compared += 1
    return compared


@pytest.mark.parametrize("net", LINEAR)
def test_a_linear_path_gives_the_jacobian(net: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = under_microscope(net(), SIZE)
    found = micrograph.weights(model, "first", "c")
    assert found.exact
    assert found.approximations == ()
    assert matches(found, jacobian(model, "first", "c")) >= 1


def straight_jacobian(net: nn.Module, reference: Tensor, position: tuple[int, int]) -> Tensor:
    """[unit, source unit, y, x] at a position of the linear network that stands for `net`."""
    with torch.no_grad():
        there = net.first(reference)
        net(reference)
    y, x = position

    def answer(values: Tensor) -> Tensor:
        return net.c(net.straight(values, there))[0, :, y, x]

    return torch.autograd.functional.jacobian(answer, there)[:, 0]


def test_activations_are_passed_and_maxima_are_means() -> None:
    torch.manual_seed(0)
    net = Bent()
    model = under_microscope(net, SIZE)
    found = micrograph.weights(model, "first", "c", position=(3, 3))
    wanted = straight_jacobian(net, torch.rand(1, 3, SIZE, SIZE), (3, 3))
    assert found.cut
    assert torch.allclose(found.kernels, wanted, rtol=1e-4, atol=1e-6 * float(wanted.abs().max()))
    assert not found.exact
    names = {note.operation for note in found.approximations}
    assert {"relu", "max_pool2d_with_indices", "leaky_relu", "gelu"} <= names
    assert not any(note.held for note in found.approximations)


def test_kernels_larger_than_the_map_are_whole() -> None:
    torch.manual_seed(0)
    net = Bent()
    found = micrograph.weights(under_microscope(net, SIZE), "first", "c")
    assert (found.kernels.shape[2:], found.cut, found.position) == ((21, 21), False, None)
    wanted = straight_jacobian(net, torch.rand(1, 3, 40, 40), (9, 9))
    top, left = found.start(9, 9)
    box = wanted[:, :, top : top + 21, left : left + 21]
    assert torch.allclose(found.kernels, box, rtol=1e-4, atol=1e-6 * float(box.abs().max()))


@pytest.mark.parametrize("net", HELD)
def test_what_is_held_has_its_value_on_the_reference(net: type[nn.Module]) -> None:
    torch.manual_seed(0)
    there = net()
    model = under_microscope(there, SIZE)
    with pytest.raises(BadInput, match=r"needs a reference picture \(.*\): pass reference="):
        micrograph.weights(model, "first", "c")
    picture = torch.rand(3, SIZE, SIZE)
    found = micrograph.weights(model, "first", "c", reference=picture, position=(7, 6))
    wanted = straight_jacobian(there, picture[None], (7, 6))
    top, left = found.start(7, 6)
    down, right = found.kernels.shape[2:]
    whole = torch.zeros_like(wanted)
    whole[:, :, top : top + down, left : left + right] = found.kernels
    assert torch.allclose(whole, wanted, rtol=1e-4, atol=1e-6 * float(wanted.abs().max()))
    assert any(note.held for note in found.approximations)
