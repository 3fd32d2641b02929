"""Largest and smallest values with their positions, and sampled values, against plain counting."""

import numpy as np
import pytest
import torch

from micrograph.sweep import extremes as module
from micrograph.sweep import sampled
from micrograph.sweep.extremes import extremes
from micrograph.sweep.sampled import SampledTensor, SampleTally
from micrograph.sweep.tally import Spec, layout
from micrograph.sweep.top import Top


def maps(pictures: int, units: int, side: int) -> torch.Tensor:
    """Whole numbers, so that values are equal at many positions."""
    draw = torch.Generator().manual_seed(units)
    return torch.randint(-4, 5, (pictures, units, side, side), generator=draw).float()


@pytest.mark.parametrize("layout", ["channels last", "contiguous", "a slice"])
@pytest.mark.parametrize(("units", "side"), [(1, 1), (3, 5), (24, 8), (64, 6), (130, 4)])
@pytest.mark.parametrize("together", [1, 1 << 12, 1 << 30])
def test_values_and_positions(
    layout: str, units: int, side: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOGETHER", together)
    x = maps(7, units, side)
    if layout == "channels last":
        x = x.contiguous(memory_format=torch.channels_last)
    elif layout == "a slice":  # of a stream of tokens, behind the class token
        tokens = torch.cat([torch.full((7, 1, units), 9.0), x.flatten(2).transpose(1, 2)], 1)
        x = tokens[:, 1:].transpose(1, 2).unflatten(2, (side, side))
    flat = x.flatten(2).numpy()
    for threshold in (-9.0, 2.0, 3.0, 9.0):  # from all of them to none
        bar = np.full(units, threshold, np.float32)
        relu = torch.empty_like(x)
        found = extremes(x, bar, -bar, relu=relu)
        assert torch.equal(relu, x.relu())
        assert np.array_equal(found.top.numpy(), flat.max(2))
        assert np.array_equal(found.low.numpy(), flat.min(2))
        passed = flat.max(2) > threshold
        assert np.array_equal(found.top_at.numpy()[passed], flat.argmax(2)[passed])
        passed = flat.min(2) < -threshold
        assert np.array_equal(found.low_at.numpy()[passed], flat.argmin(2)[passed])
    whole = extremes(x)
    assert np.array_equal(whole.top_at.numpy(), flat.argmax(2))
    assert np.array_equal(whole.low_at.numpy(), flat.argmin(2))


def test_a_bar_lets_through_all_that_is_kept() -> None:
    draw = np.random.default_rng(0)
    top = Top(
        np.full((5, 3), -np.inf, np.float32),
        np.full((5, 3), np.iinfo(np.int32).max, np.int32),
        np.zeros((5, 3), np.int32),
    )
    for numbers in draw.permutation(40).reshape(10, 4):  # out of order, as parts may be
        values = draw.integers(0, 4, (4, 5)).astype(np.float32)
        bar = top.bar(int(numbers.min()))
        before = top.numbers.copy()
        top.add(values, numbers, np.zeros((4, 5), np.int32))
        for unit in range(5):
            for number in set(top.numbers[unit]) - set(before[unit]):
                assert values[numbers.tolist().index(number), unit] > bar[unit]


def test_samples_that_are_worked_on_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = [SampledTensor(0, 3, 4), SampledTensor(3, 20, 5), SampledTensor(23, 1, 1)]
    spec = Spec("m", "w", "d", 30, 0, 6, 1, 1, (("a", 24, True),), "c")
    draw = np.random.default_rng(1)
    rows = [(draw.normal(size=(6, 113)) * 10.0**k).astype(np.float32) for k in range(-2, 3)]
    units = np.concatenate([np.tile(np.arange(3), 4), np.tile(np.arange(3, 23), 5), [23]])

    def filled(together: int) -> dict[str, np.ndarray]:
        monkeypatch.setattr(sampled, "TOGETHER", together)
        arrays = {n: np.full(s, first, dtype) for n, (s, dtype, first) in layout(spec).items()}
        tally = SampleTally(arrays)
        for values in rows:
            tally.add(values, tensors)
        for unit in range(24):
            own = np.concatenate(rows)[:, units == unit].astype(np.float64)
            assert arrays["count"][unit] == own.size == arrays["histogram.counts"][unit].sum()
            assert arrays["positive"][unit] == (own > 0).sum()
            assert tally.sum.total()[unit] == pytest.approx(own.sum())
            assert tally.squares.total()[unit] == pytest.approx((own**2).sum())
            low, high, counts = tally.histogram.of(unit)
            width = (high - low) / len(counts)
            places = np.floor((own - low) / width).astype(int).ravel()
            assert np.bincount(places, minlength=len(counts)).tolist() == counts
        return arrays

    whole = filled(1 << 18)
    for together in (6, 60, 150, 500):
        found = filled(together)
        assert all(np.array_equal(found[name], whole[name]) for name in whole)
