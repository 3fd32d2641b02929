"""The strongest inputs of a unit, and what is left to the rest."""

import pytest
import torch
from nets import under_microscope
from torch import nn

import micrograph
from micrograph import Weights
from micrograph.errors import BadInput, NotFound


@pytest.fixture
def found() -> Weights:
    """One unit from four: kernels of 1 x 2 weights with the sums 3, -4, 0 and 1, whose absolute
    values add up to 3, 4, 6 and 1."""
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 1, (1, 2)))
    kernels = torch.tensor([[1.0, 2.0], [-4.0, 0.0], [3.0, -3.0], [0.5, 0.5]])
    net[1].weight.data = kernels.view(1, 4, 1, 2)
    return micrograph.weights(under_microscope(net), "0", "1")


def test_by_weight(found: Weights) -> None:
    strongest = found.strongest(0, 2)
    assert [one.unit for one in strongest.inputs] == [2, 1]
    assert [one.size for one in strongest.inputs] == [6.0, 4.0]
    assert [one.strength for one in strongest.inputs] == [0.0, -4.0]
    assert [one.share for one in strongest.inputs] == pytest.approx([6 / 14, 4 / 14])
    assert strongest.rest.count == 2
    assert strongest.rest.share == pytest.approx(4 / 14)
    assert strongest.rest_in_words() == "other 2 inputs: 29 % of Σ|w|"
    assert strongest.total == 14.0


def test_by_weight_and_activation(found: Weights) -> None:
    strongest = found.strongest(0, 3, by="activation", typical=[2.0, 0.5, 0.0, 10.0])
    assert [one.unit for one in strongest.inputs] == [3, 0, 1]
    assert [one.size for one in strongest.inputs] == [10.0, 6.0, 2.0]
    assert strongest.rest.share == 0.0
    assert strongest.rest_in_words() == "other 1 input: 0 % of Σ|w| x activation"
    same = found.strongest(0, 3, by="activation", typical={0: 2.0, 1: 0.5, 2: 0.0, 3: 10.0})
    assert same.to_json() == strongest.to_json()


def test_all_of_them_leave_no_rest(found: Weights) -> None:
    assert found.strongest(0, 50).rest_in_words() == "no other inputs"


def test_bad_input(found: Weights) -> None:
    with pytest.raises(BadInput, match="by 'size' given; expected weight or activation"):
        found.strongest(0, by="size")
    with pytest.raises(BadInput, match="needs the typical activations of 0; pass typical="):
        found.strongest(0, by="activation")
    with pytest.raises(BadInput, match="2 typical activations given; expected one of each unit"):
        found.strongest(0, by="activation", typical=[1.0, 2.0])
    with pytest.raises(BadInput, match="n '0' given; expected a number of inputs from 1 on"):
        found.strongest(0, 0)
    with pytest.raises(NotFound, match="the kernels of 1/5 are not among those"):
        found.strongest(5)
