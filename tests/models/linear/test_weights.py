"""Weights between units, against the whole Jacobian of autograd."""

import micrograph
import pytest
import torch
from linear_nets import LINEAR
from nets import under_microscope
from torch import Tensor, nn

from micrograph import Weights
from micrograph.models.model import Model
from micrograph.models.replacing import replaced

SIZE = 20


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
