"""Receptive fields in words."""

import pytest

from micrograph.atlas import NodeRecord
from micrograph.graph import picture_size, what_a_position_sees


@pytest.mark.parametrize(
    ("field", "picture", "words"),
    [
        ((11, 4, 0, "exact"), 224, "11 × 11 px, every 4 px"),
        ((3, 1, -1, "exact"), 224, "3 × 3 px"),
        ((224, 32, -96, "exact"), 224, "224 × 224 px, every 32 px"),
        ((907, 32, -437, "exact"), 224, "the whole picture"),
        ((907, 32, -437, "exact"), 0, "907 × 907 px, every 32 px"),
        ((12, 4, -2, "at most"), 224, "at most 12 × 12 px, every 4 px"),
        ((0, 0, 0, "whole input"), 224, "the whole picture"),
        ((0, 0, 0, "unknown"), 224, "unknown"),
        ((7, 1, 0, "whatever anybody wrote"), 224, "unknown"),
    ],
)
def test_what_a_position_sees(field: tuple[int, int, int, str], picture: int, words: str) -> None:
    node = NodeRecord("n", 0, "conv", 4, (7, 7), *field, (), ())
    assert what_a_position_sees(node, picture) == words


@pytest.mark.parametrize(
    ("said", "size"), [({"size": 224}, 224), ({}, 0), ({"size": "224"}, 0), ({"size": -3}, 0)]
)
def test_picture_size_of_any_preprocessing(said: dict[str, object], size: int) -> None:
    assert picture_size(said) == size
