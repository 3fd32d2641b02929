"""Layouts: neighbours stay neighbours, no two units at one place, the same again by seed."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from micrograph.lenses.unit_map import layout
from micrograph.lenses.unit_map.layout import lay_out


def clusters(units: int = 120, kinds: int = 4, pictures: int = 200) -> np.ndarray:
    """Profiles [unit, picture] of units in `kinds` groups: unit u is of kind u % kinds."""
    draw = np.random.default_rng(1)
    kind = draw.gamma(0.3, size=(kinds, pictures))
    profiles: np.ndarray = kind[np.arange(units) % kinds] + draw.gamma(
        0.3, 0.3, size=(units, pictures)
    )
    return profiles * draw.uniform(0.1, 100, size=(units, 1)) + draw.normal(size=(units, 1))


def test_planted_groups_lie_together_whatever_their_scale() -> None:
    profiles = clusters()
    found = lay_out(profiles)
    kind = np.arange(120) % 4
    gaps = np.linalg.norm(found.xy[:, None] - found.xy[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    nearest = gaps.argsort(1)[:, :3]
    assert (kind[nearest] == kind[:, None]).mean() > 0.85, "by chance a quarter"
    assert found.trustworthiness is not None
    assert found.trustworthiness > 0.8
    assert found.near > found.random + 0.3


def test_measures_equal_brute_force() -> None:
    profiles = clusters(40)
    found = lay_out(profiles)
    r = np.corrcoef(profiles)
    pairs = ~np.eye(40, dtype=bool)
    assert found.random == pytest.approx(r[pairs].mean(), abs=1e-6)
    gaps = np.linalg.norm(found.xy[:, None] - found.xy[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    # Ties on the grid may be broken otherwise: neighbours nearer than the eighth count for sure.
    eighth = np.sort(gaps, 1)[:, 7]
    sure = np.mean([r[u, gaps[u] < eighth[u] - 1e-9].mean() for u in range(40)])
    assert found.near == pytest.approx(sure, abs=0.1)


@pytest.mark.parametrize("units", [1, 2, 3, 7, 9, 30])
def test_every_unit_has_a_cell_of_its_own(units: int) -> None:
    found = lay_out(clusters(units))
    assert found.xy.dtype == np.float32
    assert found.xy.shape == (units, 2)
    places = {tuple(p) for p in np.round(found.xy * found.columns - 0.5, 3)}
    assert len(places) == units
    assert all(x == int(x) and y == int(y) for x, y in places)
    assert 0 < found.xy.min() <= found.xy.max() < 1


def test_dead_units_go_to_the_last_corner() -> None:
    profiles = clusters(60)
    profiles[[4, 17, 31]] = 0.5
    found = lay_out(profiles)
    distance = np.linalg.norm(1 - found.xy, axis=1)
    assert np.sort(distance[[4, 17, 31]]).max() < np.sort(distance)[12]
    assert np.isfinite(found.xy).all()
    assert len({tuple(p) for p in found.xy}) == 60


def test_nothing_but_dead_units_is_a_map_too() -> None:
    found = lay_out(np.zeros((10, 20)))
    assert len({tuple(p) for p in found.xy}) == 10
    assert (found.trustworthiness, found.near) == (None, 0)


def test_the_seed_decides() -> None:
    profiles = clusters(50)
    assert (lay_out(profiles, 1).xy == lay_out(profiles, 1).xy).all()


def test_many_points_are_assigned_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    points = draw.uniform(size=(300, 2))
    side = (np.arange(20) + 0.5) / 20
    cells = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    cost = ((points[:, None] - cells[None]) ** 2).sum(2)
    best = cost[linear_sum_assignment(cost)].mean()
    assert cost[np.arange(300), layout._assign(points, cells)].mean() == pytest.approx(best)
    monkeypatch.setattr(layout, "_AT_ONCE", 50)
    found = layout._assign(points, cells)
    assert len(set(found.tolist())) == 300
    assert cost[np.arange(300), found].mean() < 3 * best, "nearly as good"
