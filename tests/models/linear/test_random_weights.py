"""Weights through random networks, against the Jacobian of the linear networks that stand for them."""

import random

import pytest
import torch
from nets import under_microscope
from straight_nets import Between, random_between

import micrograph
from micrograph.errors import BadInput

SIZE = 12


def compare(net: Between, seed: int, exact: bool) -> bool:
    """The kernels of a random position are those of the linear network. False where the position
    is at the border of the map, where kernels that count for all positions say nothing."""
    r = random.Random(seed)
    model = under_microscope(net, SIZE)
    node = model.node("last")
    position = (r.randrange(node.shape[0]), r.randrange(node.shape[1]))
    picture = torch.rand(3, SIZE, SIZE)
    wanted = net.jacobian(picture[None], position)
    if not wanted.any():
        with pytest.raises(BadInput, match="sees nothing of first"):
            micrograph.weights(model, "first", "last", reference=picture, position=position)
        return False
    found = micrograph.weights(model, "first", "last", reference=picture, position=position)
    if exact:
        assert found.exact, found.approximations
    top, left = found.start(*position)
    down, right = found.kernels.shape[2:]
    rows, columns = wanted.shape[2:]
    inside = top >= 0 and left >= 0 and top + down <= rows and left + right <= columns
    if found.position is None and not inside:
        return False
    assert inside, "kernels of one position lie on the map"
    whole = torch.zeros_like(wanted)
    whole[:, :, top : top + down, left : left + right] = found.kernels
    most = float(wanted.abs().max())
    assert torch.allclose(whole, wanted, rtol=1e-4, atol=2e-5 * most), (
        float((whole - wanted).abs().max()) / most,
        found.approximations,
    )
    return True


@pytest.mark.parametrize("seed", range(5))
def test_an_affine_network_gives_its_jacobian(seed: int) -> None:
    compare(random_between(seed, SIZE, straight_only=True), seed, True)


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_network_gives_that_of_its_linear_stand_in(seed: int) -> None:
    compare(random_between(seed, SIZE), seed, False)


@pytest.mark.nightly
def test_hundreds_of_networks() -> None:
    compared = 0
    for seed in range(1000, 1400):
        compared += compare(random_between(seed, SIZE, straight_only=seed % 3 == 0), seed, False)
    assert compared > 200
