"""Where a position looks: against the definition, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograph.atlas import NodeRecord
from micrograph.parts.crops import WHOLE, field_box, window


def node(size=1, stride=1, start=0, shape=(8, 8), status="exact") -> NodeRecord:
    return NodeRecord("n", 0, "conv", 4, shape, size, stride, start, status, (), ())


def seen(n: NodeRecord, position: int, size: int) -> np.ndarray:
    """Which pixels of a picture the position sees, by the definition in docs/atlas-format.md."""
    pixels = np.arange(size)
    y, x = position // n.shape[1], position % n.shape[1]
    rows, columns = (
        (pixels >= n.field_start + p * n.field_stride)
        & (pixels <= n.field_start + p * n.field_stride + n.field_size - 1)
        for p in (y, x)
    )
    return rows[:, None] & columns[None, :]


def drawn(box, size: int) -> np.ndarray:
    found = np.zeros((size, size), bool)
    top, left = round(box.top * size), round(box.left * size)
    found[top : top + round(box.height * size), left : left + round(box.width * size)] = True
    return found


@given(
    st.integers(1, 40),
    st.integers(1, 4),
    st.integers(-20, 4),
    st.integers(0, 63),
    st.integers(8, 40),
)
def test_the_box_is_what_the_position_sees(field, stride, start, position, size):
    n = node(field, stride, start)
    true = seen(n, position, size)
    if true.any():
        assert (drawn(field_box(n, position, size), size) == true).all()


@given(st.integers(1, 60), st.integers(1, 4), st.integers(-20, 4), st.integers(0, 63))
def test_the_window_holds_the_box_and_lies_inside(field, stride, start, position):
    n = node(field, stride, start)
    box, tile = field_box(n, position, 32), window(n, position, 32)
    assert tile.left >= 0
    assert tile.top >= 0
    assert tile.left + tile.width <= 1 + 1e-9
    assert tile.top + tile.height <= 1 + 1e-9
    assert tile.width == tile.height == pytest.approx(min(field, 32) / 32) or tile == WHOLE
    if seen(n, position, 32).any():
        assert tile.left <= box.left + 1e-9
        assert box.left + box.width <= tile.left + tile.width + 1e-9


@pytest.mark.parametrize(
    "n",
    [
        node(shape=()),
        node(status="whole input"),
        node(status="unknown"),
        node(shape=(4,)),
    ],
)
def test_without_a_known_field_it_is_the_whole_picture(n):
    assert field_box(n, 3, 32) == window(n, 3, 32) == WHOLE


def test_a_position_far_outside_still_has_a_pixel():
    box = field_box(node(3, 4, 100), 63, 32)
    assert box.width > 0
    assert 0 <= box.left < 1
