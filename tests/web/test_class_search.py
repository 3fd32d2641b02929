"""Which units a search finds by classes, against counting by hand."""

import numpy as np
import pytest

from micrograph.lenses.similar.profiles import Profiles
from micrograph.web import class_search
from micrograph.web.class_search import STRONGEST, SweptClasses, _ranked


def swept(classes: list[int]) -> SweptClasses:
    return SweptClasses("d" * 64, "pictures", ("a", "b", "c"), dict(enumerate(classes)))


def by_hand(values: np.ndarray, classes: list[int], meant: set[int]) -> dict[int, tuple[int, int]]:
    inside = [n for n, c in enumerate(classes) if c in meant]
    strongest = min(STRONGEST, len(inside))
    found = {}
    for unit, row in enumerate(values):
        best = sorted(range(len(row)), key=lambda n: -int(row[n]))[:strongest]
        hits = sum(n in inside and row[n] > 0 for n in best)
        if hits >= 2 and hits * 2 >= strongest:
            found[unit] = (hits, strongest)
    return found


@pytest.mark.parametrize("meant", [{0}, {1, 2}])
def test_as_counted_by_hand(meant: set[int]) -> None:
    rng = np.random.default_rng(0)
    classes = [int(c) for c in rng.integers(0, 3, 60)]
    values = np.stack([rng.permutation(60) * 4 for _ in range(200)]).astype(np.uint8)
    favour = np.isin(classes, list(meant))
    values[:40, favour] = 255 - np.arange(int(favour.sum()))
    found = _ranked("n", Profiles("n", values, np.arange(60)), swept(classes), frozenset(meant))
    assert {f.unit: (f.hits, f.strongest) for f in found} == by_hand(values, classes, meant)
    assert len(found) >= 40
    best = max(found, key=lambda f: f.selectivity)
    assert best.unit < 40
    row = values[best.unit].astype(float)
    assert best.selectivity == pytest.approx((row[favour].mean() - row[~favour].mean()) / 255)


def test_one_picture_of_a_class_has_to_stand_out() -> None:
    classes = [0, 1, 1, 1]
    values = np.array([[255, 100, 0, 0], [255, 240, 0, 0], [100, 255, 0, 0]], np.uint8)
    found = _ranked("n", Profiles("n", values, np.arange(4)), swept(classes), frozenset({0}))
    assert [(f.unit, f.hits, f.strongest) for f in found] == [(0, 1, 1)]


def test_a_unit_that_never_fires_is_not_found() -> None:
    values = np.zeros((3, 6), np.uint8)
    found = _ranked(
        "n", Profiles("n", values, np.arange(6)), swept([0, 0, 0, 1, 1, 1]), frozenset({0})
    )
    assert found == []


def test_what_an_index_kept_wrongly_is_not_believed() -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        class_search._unpack(b'{"digest": 1}')
