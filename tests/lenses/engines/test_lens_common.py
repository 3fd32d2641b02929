import numpy as np
import pytest
import torch

from micrograph.errors import BadInput, NotFound
from micrograph.lenses import Optimized, lens
from micrograph.lenses.engines import common


def test_work_is_halved_until_it_fits() -> None:
    tried = []

    def work(items: list[int], on_step: object) -> int:
        tried.append(len(items))
        if len(items) > 2:
            raise MemoryError
        return sum(items)

    done = list(common.in_memory([1, 2, 3, 4, 5], work))
    assert [(list(items), made) for items, made, _ in done] == [
        ([1, 2], 3),
        ([3], 3),
        ([4, 5], 9),
    ]
    assert tried == [5, 2, 3, 1, 2]
    assert all(seconds >= 0 for *_, seconds in done)


def test_one_that_does_not_fit_alone_and_other_errors_are_raised() -> None:
    def hungry(items: list[int], on_step: object) -> None:
        raise MemoryError

    def broken(items: list[int], on_step: object) -> None:
        raise RuntimeError("not about memory")

    with pytest.raises(MemoryError):
        list(common.in_memory([1, 2], hungry))
    with pytest.raises(RuntimeError, match="not about memory"):
        list(common.in_memory([1, 2], broken))


def test_mosaics_are_row_by_row() -> None:
    pictures = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    tiled = common.mosaic(pictures, 3)
    assert tiled.shape == (4, 9, 3)
    assert tiled[::2, ::3, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_company_is_sorted_and_short_nodes_are_whole() -> None:
    maps = torch.tensor([[[[1.0, 3]], [[5, 5]], [[0, 1]]], [[[9, 9]], [[0, 0]], [[4, 0]]]])
    assert common.largest_means(maps, 2) == [[(1, 5), (0, 2)], [(0, 9), (2, 2)]]
    assert [len(units) for units in common.largest_means(maps[:, :, 0, 0])] == [3, 3]


def test_numbers_and_names_are_checked() -> None:
    assert list(Optimized(seed=3, repeats=2).seeds) == [3, 4]
    for seed, repeats in ((-1, 1), (2**31, 1), (0, 0), (0, 65), ("x", 1), (0.5, 1)):
        with pytest.raises(BadInput, match="expected"):
            Optimized.read({"seed": seed, "repeats": repeats})
    with pytest.raises(BadInput, match="expected"):
        common.in_range("weight", float("nan"), 0.0, 1.0)
    common.in_range("weight", 1, 0.0, 1.0)
    with pytest.raises(NotFound, match="facets"):
        lens("diversity").params.read({"variants": ["facet"]})
    assert common.key(1, "a", 2) != common.key(1, "b", 2)
