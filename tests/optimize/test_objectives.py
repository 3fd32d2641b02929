import pytest
import torch

from micrograph.errors import BadInput
from micrograph.optimize import channel, direction, neuron, objective, total_variation

ACTS = {"a": torch.rand(3, 5, 4, 6), "flat": torch.rand(3, 5)}
IMAGES = torch.rand(3, 3, 8, 8)


def value(target: object) -> torch.Tensor:
    return target.value(ACTS, IMAGES)  # type: ignore[attr-defined]


def test_channel_is_the_mean_of_each_samples_own_unit() -> None:
    expected = [ACTS["a"][b, u].mean().item() for b, u in enumerate((4, 0, 2))]
    assert value(channel("a", [4, 0, 2])).tolist() == pytest.approx(expected)
    assert value(channel("a", 1)).tolist() == pytest.approx(ACTS["a"][:, 1].mean((1, 2)).tolist())
    assert torch.equal(value(channel("flat", [4, 0, 2])), ACTS["flat"][[0, 1, 2], [4, 0, 2]])


def test_neuron_is_the_lower_right_of_the_central_four() -> None:
    assert torch.equal(value(neuron("a", 3)), ACTS["a"][:, 3, 2, 3])
    assert torch.equal(value(neuron("flat", 3)), ACTS["flat"][:, 3])


def test_direction_against_a_loop() -> None:
    v = torch.rand(5)
    expected = torch.zeros(3)
    for b in range(3):
        for y in range(4):
            for x in range(6):
                a = ACTS["a"][b, :, y, x]
                cos = a @ v / ((1e-4 + a.norm()) * (1e-4 + v.norm()))
                expected[b] += a @ v * max(0.1, cos) ** 2 / 24
    torch.testing.assert_close(value(direction("a", v, cosine_power=2)), expected)
    one_hot = torch.eye(5)[2]
    torch.testing.assert_close(value(direction("a", one_hot)), value(channel("a", 2)))


def test_directions_of_their_own_at_the_centre_and_by_direction_alone() -> None:
    vectors = torch.rand(3, 5) * 9
    a = ACTS["a"][:, :, 2, 3]
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    dot = (a * unit).sum(1)
    expected = dot * (dot / a.norm(dim=1)).clamp(min=0.1) ** 1.5
    target = direction("a", vectors, cosine_power=1.5, everywhere=False, normalize=True)
    torch.testing.assert_close(value(target), expected, rtol=1e-3, atol=0)
    assert target.samples == 3
    assert direction("a", vectors[0]).samples is None
    flat = direction("flat", vectors, normalize=True)
    torch.testing.assert_close(value(flat), (ACTS["flat"] * unit).sum(1))
    nothing = direction("a", torch.zeros(3, 5), cosine_power=2, normalize=True)
    assert value(nothing).tolist() == [0, 0, 0]


def test_arithmetic() -> None:
    a, b = channel("a", [0, 1, 2]), neuron("flat", 4)
    both = 2 * a - 0.25 * b + 1
    torch.testing.assert_close(value(both), 2 * value(a) - value(b) / 4 + 1)
    torch.testing.assert_close(value(3 - a), 3 - value(a))
    torch.testing.assert_close(value(sum([a, a])), 2 * value(a))
    assert both.nodes == ("a", "flat")
    assert both.samples == 3


def test_own_objective_in_one_function() -> None:
    @objective("a", "flat")
    def mine(a: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
        return a.amax((1, 2, 3)) - flat[:, 0]

    torch.testing.assert_close(value(mine), ACTS["a"].amax((1, 2, 3)) - ACTS["flat"][:, 0])
    assert mine.label == "mine"


def test_total_variation() -> None:
    ramp = torch.arange(8.0).expand(1, 3, 8, 8)
    assert total_variation().value({}, ramp).tolist() == [3.0]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match="same number of units"):
        channel("a", [0, 1]) + channel("a", [0, 1, 2])
    with pytest.raises(BadInput, match="before the activation"):
        channel("a", 0) + channel("a", 0, pre_relu=True)
    with pytest.raises(BadInput, match="unit 5 out of range; this node has units 0-4"):
        value(channel("a", 5))
    with pytest.raises(BadInput, match="6 numbers does not fit a, which has 5 units"):
        value(direction("a", torch.rand(6)))
