"""The renderer: masks agree with where shapes were painted, the later shape hides the earlier."""

from __future__ import annotations

import numpy as np
import pytest

from micrograph.organisms.toytown.canvas import Canvas, Material
from micrograph.organisms.toytown.parts import NONE, part_index
from micrograph.organisms.toytown.textures import NAMES, SIDE, _cells, stack

RED = Material((1.0, 0.0, 0.0), (1.0, 0.0, 0.0))
BLUE = Material((0.0, 0.0, 1.0), (0.0, 0.0, 1.0))


@pytest.fixture
def canvas() -> Canvas:
    made = Canvas(64, np.random.default_rng(0))
    made.place(0.5, 0.5, 0.5)  # -1..1 is the picture
    return made


def test_a_rectangle_is_where_it_was_painted(canvas: Canvas) -> None:
    canvas.rect(-0.5, -0.25, 0.5, 0.25, "window", RED)
    parts = canvas.part_numbers(canvas.numbers())
    y, x = np.nonzero(parts == part_index("window"))
    assert (x.min(), x.max()) == (32, 96)  # 128 supersampled pixels; corners are inclusive
    assert (y.min(), y.max()) == (48, 80)
    assert len(x) == 65 * 33
    assert (parts != part_index("window")).sum() == (parts == NONE).sum()


def test_an_ellipse_covers_its_area(canvas: Canvas) -> None:
    canvas.ellipse(0, 0, 0.5, 0.25, "wheel", RED)
    area = (canvas.part_numbers(canvas.numbers()) == part_index("wheel")).sum()
    assert area == pytest.approx(np.pi * 32 * 16, rel=0.06)


def test_the_later_shape_hides_the_earlier(canvas: Canvas) -> None:
    canvas.rect(-0.5, -0.5, 0.5, 0.5, "wall", RED)
    canvas.rect(0.0, -0.5, 0.5, 0.5, "door", BLUE)
    parts = canvas.part_numbers(canvas.numbers())
    assert (parts[64, 33:63] == part_index("wall")).all()
    assert (parts[64, 65:95] == part_index("door")).all()


def test_colours_follow_the_visible_shape(canvas: Canvas) -> None:
    canvas.rect(-1, -1, 1, 1, None, BLUE)
    canvas.rect(-0.5, -0.5, 0.5, 0.5, "wall", RED)
    (red, _, blue), light = canvas.shade(canvas.numbers())
    assert red[64, 64] == pytest.approx(1)
    assert blue[64, 64] == pytest.approx(0)
    assert blue[4, 4] == pytest.approx(1)
    assert 0.5 < light.min() <= light.max() < 1.5


def test_placement_moves_turns_and_mirrors(canvas: Canvas) -> None:
    canvas.place(0.25, 0.5, 0.25, np.pi / 2)
    canvas.rect(0.0, -0.2, 1.0, 0.2, "hand", RED)  # points right, turned to point down
    y, x = np.nonzero(canvas.part_numbers(canvas.numbers()) == part_index("hand"))
    assert abs(x.mean() - 32) < 1
    assert y.min() == pytest.approx(64, abs=1)
    assert y.max() == pytest.approx(96, abs=1)
    canvas.place(0.5, 0.5, 0.25, mirror=True)
    canvas.rect(0.5, -0.2, 1.0, 0.2, "door", RED)
    _, x = np.nonzero(canvas.part_numbers(canvas.numbers()) == part_index("door"))
    assert x.max() < 64


def test_a_full_canvas_leaves_out_what_is_too_much(canvas: Canvas) -> None:
    for _ in range(Canvas.LIMIT + 10):
        canvas.rect(-0.1, -0.1, 0.1, 0.1, "wall", RED)
    assert len(canvas) == Canvas.LIMIT
    assert canvas.numbers().max() <= 255


def test_cells_belong_to_the_nearest_point_around_the_seam() -> None:
    border, tone = _cells(np.random.default_rng(5), 9)
    again = np.random.default_rng(5)
    points, tones = again.uniform(0, SIDE, (9, 2)), again.uniform(0, 1, 9)
    for y, x in ((0, 0), (255, 3), (40, 200), (128, 128), (7, 250)):
        around = (-SIDE, 0, SIDE)  # the plane repeats
        far = [
            min(np.hypot(y - py + down, x - px + across) for down in around for across in around)
            for py, px in points
        ]
        assert border[y, x] == pytest.approx(sorted(far)[1] - min(far))
        assert tone[y, x] == tones[int(np.argmin(far))]


def test_textures_are_seamless_and_use_their_range() -> None:
    made = stack()
    assert made.shape == (len(NAMES), SIDE, SIDE)
    for name, texture in zip(NAMES, made.astype(float), strict=True):
        if name == "plain":
            continue
        assert texture.std() > 15, name
        for axis in (0, 1):
            inner = np.abs(np.diff(texture, axis=axis)).mean(axis=1 - axis)
            seam = np.abs(np.take(texture, 0, axis) - np.take(texture, -1, axis)).mean()
            assert seam <= inner.max() * 1.5 + 10, (name, axis)
