"""Statistics of evidence against brute force."""

from itertools import product

import numpy as np
import pytest

from micrograph.circuits.claims import statistics


def test_p_counts_controls_and_is_uniform_under_the_null() -> None:
    assert statistics.share_at_least(3, [1, 2, 3, 4]) == pytest.approx((0.5 + 1 + 0.5) / 5)
    draw = np.random.default_rng(0)
    rows = draw.integers(0, 6, (4000, 30))  # with many ties
    found = [statistics.share_at_least(row[0], row[1:]) for row in rows]
    assert np.mean(found) == pytest.approx(0.5, abs=0.02)


def test_scores_and_their_sum() -> None:
    assert statistics.score(0.05) == pytest.approx(1.6449, abs=1e-3)
    assert statistics.combined([0.5]) == pytest.approx(0.5)
    assert statistics.combined([0.05, 0.05]) == pytest.approx(0.01, abs=2e-3)


def test_partial_correlation_is_that_of_residuals() -> None:
    draw = np.random.default_rng(1)
    z = draw.normal(size=(200, 2))
    y = z @ [1.0, -2.0] + draw.normal(size=200)
    x = np.stack([z @ [3.0, 1.0] + 0.5 * y, z @ [1.0, 1.0]], 1)
    basis = np.column_stack([np.ones(200), z])

    def rest(v: np.ndarray) -> np.ndarray:
        return v - basis @ np.linalg.lstsq(basis, v, rcond=None)[0]

    wanted = np.corrcoef(rest(x[:, 0]), rest(y))[0, 1]
    found = statistics.partial_correlation(x, y, z)
    assert found[0] == pytest.approx(wanted)
    assert found[1] == 0  # nothing is left of it


def test_ranks_share_ties() -> None:
    found = statistics.ranks(np.array([[3.0], [1.0], [3.0], [7.0], [0.0]]))
    assert found[:, 0].tolist() == [0.625, 0.25, 0.625, 1.0, 0.0]


def test_area_under_curve_counts_pairs() -> None:
    true, false = [1, 2, 2], [0, 2]
    wins = [(a > b) + 0.5 * (a == b) for a, b in product(true, false)]
    assert statistics.area_under_curve(true, false) == pytest.approx(sum(wins) / 6)


def test_interval_of_a_share() -> None:
    low, high = statistics.share_interval(5, 100)
    assert (low, high) == (pytest.approx(0.0215, abs=1e-3), pytest.approx(0.1118, abs=1e-3))
    assert statistics.share_interval(0, 20)[0] == 0
