"""Distributions of channels' values: sorted, weighted, compared, and brought together."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from micrograph import optimize as opt
from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.optimize.distributions import (
    Wanted,
    alike,
    apart,
    at_levels,
    quantiles,
    small,
    thinned,
)


def some(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_with_equal_weights_quantiles_are_the_sorted_values() -> None:
    values = some(1, 3, 20)
    found = quantiles(values, torch.full((1, 20), 0.7))
    assert torch.allclose(found, values[0].sort(dim=1).values, atol=1e-6)
    pair = some(2, 3, 20)
    expected = pair.sort(dim=2).values.mean(0)
    assert torch.allclose(quantiles(pair, torch.ones(2, 20)), expected, atol=1e-6)


def test_a_weight_counts_as_so_many_positions() -> None:
    """Values repeated as often as their weights say have the same distribution."""
    values, counts = some(1, 4, 6), torch.tensor([1, 2, 7, 1, 3, 2])
    repeated = values.repeat_interleave(counts, dim=2)
    found = quantiles(values, counts[None].float(), levels=1600)
    step = np.repeat(repeated[0].sort(dim=1).values.numpy(), 100, axis=1)
    assert np.abs(found.numpy() - step).mean() < 0.25 * values.std()  # straight lines for steps
    middle = quantiles(values, counts[None].float(), levels=1)
    order = values[0].argsort(dim=1)
    for channel in range(4):
        x = values[0, channel, order[channel]].double().numpy()
        w = counts[order[channel]].double().numpy()
        at = np.interp(0.5, (w.cumsum() - w / 2) / w.sum(), x)
        assert middle[channel, 0].item() == pytest.approx(at, abs=1e-5)


def test_levels_between_are_on_straight_lines() -> None:
    known = some(2, 3, 8).sort(dim=2).values
    for levels in (4, 5, 16, 31):
        found = at_levels(known, levels)
        at = (np.arange(levels) + 0.5) / levels * 8 - 0.5
        for i in range(2):
            for j in range(3):
                expected = np.interp(at, np.arange(8), known[i, j].numpy())
                assert found[i, j].numpy() == pytest.approx(expected, abs=1e-5)


def brute_force(values: Tensor, wanted: Wanted) -> list[float]:
    """Pair by pair, in plain Python."""
    found = []
    for b in range(len(values)):
        squares = [float((q.double() ** 2).mean()) for q in wanted.quantiles[b]]
        total = 0.0
        for k, channel in enumerate(wanted.channels[b].tolist()):
            ordered = sorted(values[b, channel].flatten().double().tolist())
            against = wanted.quantiles[b, k].double().tolist()
            distance = sum((x - y) ** 2 for x, y in zip(ordered, against, strict=True))
            floor = 1e-6 * sum(squares) / len(squares)
            total += wanted.weights[b, k].item() * distance / len(ordered) / (squares[k] + floor)
        found.append(total)
    return found


def drawn(batch: int = 2, channels: int = 5, most: int = 3, positions: int = 12) -> Wanted:
    return Wanted.stacked(
        [
            Wanted.most_relevant(
                some(channels, positions, seed=b).sort(dim=1).values,
                some(channels, seed=10 + b).abs(),
                most,
            )
            for b in range(batch)
        ]
    )


def test_distance_is_that_of_brute_force() -> None:
    wanted = drawn()
    values = some(2, 5, 3, 4, seed=7)
    assert apart(values, wanted).tolist() == pytest.approx(brute_force(values, wanted), rel=1e-5)
    assert wanted.weights.sum(1).tolist() == pytest.approx([1, 1])
    for b in range(2):
        relevance = some(5, seed=10 + b).abs()
        assert set(wanted.channels[b].tolist()) == set(relevance.topk(3).indices.tolist())


def test_the_gradient_is_that_of_finite_differences() -> None:
    wanted = drawn()
    wanted = Wanted(wanted.channels, wanted.quantiles.double(), wanted.weights.double())
    values = some(2, 5, 3, 4, seed=3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda v: apart(v, wanted), (values,), eps=1e-5, atol=1e-6)


def test_where_the_distributions_are_the_same_the_distance_is_0() -> None:
    values = some(1, 5, 4, 4).relu()
    known = quantiles(values.flatten(2), torch.ones(1, 16))
    wanted = Wanted.most_relevant(known, torch.ones(5), 5)
    assert apart(values, wanted).item() == pytest.approx(0, abs=1e-10)
    moved = values.flatten(2)[..., torch.randperm(16)].view_as(values)
    assert apart(moved, wanted).item() == pytest.approx(0, abs=1e-10), "places do not count"
    assert apart(values + 1, wanted).item() > 0.1
    assert apart(torch.zeros_like(values), wanted).item() == pytest.approx(1, abs=1e-3)


def test_a_node_that_says_nothing_of_a_picture_does_not_count() -> None:
    wanted, colours = drawn(), drawn(channels=3)
    silent = Wanted.most_relevant(wanted.quantiles[0], torch.zeros(3), 3)
    silent = Wanted.stacked([silent, Wanted.most_relevant(wanted.quantiles[1], torch.ones(3), 3)])
    values = {"a": some(2, 5, 3, 4, seed=7), "b": some(2, 5, 3, 4, seed=8)}
    images = torch.rand(2, 3, 3, 4)
    found = alike({"a": wanted, "b": silent}, colours, 0.0).value(values, images)
    a, b = apart(values["a"], wanted), apart(values["b"], silent)
    assert b[0] == 0
    assert b[1] > 0
    assert found.tolist() == pytest.approx([-a[0].item(), -(a[1] + b[1]).item() / 2])


def test_positions_of_large_maps_stand_for_all() -> None:
    values = some(1, 2, 33, 40)
    assert thinned(values).shape == (1, 2, 11, 13)
    assert torch.equal(thinned(values), values[:, :, 1::3, 1::3])
    assert torch.equal(thinned(values[:, :, :16, :16]), values[:, :, :16, :16])
    assert small(some(1, 3, 128, 128)).shape == (1, 3, 64, 64)
    assert small(some(1, 3, 65, 65)).shape == (1, 3, 32, 32)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x).relu()).relu()


@pytest.fixture(scope="module")
def model() -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = Net()
    return Model.of(net, id="net", preprocessing=Preprocessing(size=16, resize=16))


def test_a_picture_comes_to_the_distributions_of_another(model: Model) -> None:
    (node,) = [n.id for n in model.nodes.values() if n.units == 6 and n.kind == "conv"][:1]
    other = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        values = model.run(other, [node])[node]
    wanted = Wanted.most_relevant(
        quantiles(values.flatten(2), torch.ones(1, 256)), torch.ones(6), 6
    )
    colours = Wanted.most_relevant(
        quantiles(other.flatten(2), torch.ones(1, 256)), torch.ones(3), 3
    )
    target = alike({node: wanted}, colours, strength=2.0)
    assert opt.evaluate(model, target, other).item() == pytest.approx(0, abs=1e-6)
    own, painted = (
        opt.evaluate(model, alike({node: wanted}, colours, strength=s), 1 - other).item()
        for s in (0.0, 2.0)
    )
    with torch.no_grad():
        there = model.run(1 - other, [node])[node]
    assert own == pytest.approx(-apart(there, wanted).item(), rel=1e-4)
    assert painted - own == pytest.approx(-2 * apart(1 - other, colours).item(), rel=1e-4)
    settings = opt.Settings(size=16, steps=40, transforms=opt.NONE, precision="fp32")
    made = opt.optimize(model, target, settings)
    assert made.history[-1].item() > 0.2 * made.history[0].item()
    assert made.history[0].item() < -0.1
    with pytest.raises(BadInput, match="is for 1 pictures"):
        opt.optimize(model, target, settings, seeds=[(0,), (1,)])
