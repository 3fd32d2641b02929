"""A small renderer: shapes are painted as numbers, then lit and textured all at once.

Painting writes each shape's number over a map of `2 * size` supersampled pixels, so that what is
left of a number in the end is exactly what is visible of that shape. The colours, textures and
lights of all shapes are then looked up per pixel, and the masks of the parts are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from micrograph.organisms.toytown.parts import NONE, part_index
from micrograph.organisms.toytown.textures import SIDE, stack, texture_index

SUPER = 2
"""Supersampled pixels per picture pixel, in each direction."""

Color = tuple[float, float, float]
Point = tuple[float, float]
Frame = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): a thing's (x, y) lies at pixel (a x + b y + c, d x + e y + f)."""


@dataclass(frozen=True)
class Material:
    """How a surface looks: two RGB colours in 0..1 mixed by a texture, and how round it is."""

    first: Color
    second: Color
    texture: str = "plain"
    grain: float = 1.0
    """Size of the texture: 2 is twice as coarse."""
    angle: float = 0.0
    """Turn of the texture against the thing, radians."""
    ball: float = 0.0
    """0 flat (lit by a gradient), 1 round like a ball."""

    def of(self, **changes: object) -> Material:
        """The same with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@cache
def _circle(count: int) -> tuple[Point, ...]:
    return tuple((cos(2 * pi * i / count), sin(2 * pi * i / count)) for i in range(count))


@cache
def _grid(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    places = np.mgrid[0:side, 0:side].astype(np.float32)
    return places[0], places[1], (places**2).sum(axis=0)


@cache
def _texels() -> NDArray[np.float32]:
    return (stack().astype(np.float32) / np.float32(255)).reshape(-1)


class Canvas:
    """Shapes in painter's order: the later one hides the earlier one."""

    LIMIT = 250
    """Shapes that fit (their numbers are bytes); more are silently left out as too fine."""

    def __init__(self, size: int, rng: np.random.Generator):
        self.size = size
        self.side = size * SUPER
        self.rng = rng
        self._image = Image.new("L", (self.side, self.side))
        self._draw = ImageDraw.Draw(self._image)
        self._rows: list[tuple[float, ...]] = []
        self._parts: list[int] = []
        self.light: Point = (-0.5, -0.8)
        self.contrast = 0.3
        self.frame: Frame = (1, 0, 0, 0, 1, 0)
        self.setting = ""
        self.figure_from = 0
        self.figure_to = 0
        self.left_out: frozenset[str] = frozenset()
        self._draw_offsets = rng.integers(0, SIDE, 512).tolist()

    def __len__(self) -> int:
        """Shapes painted so far."""
        return len(self._parts)

    # -- painting ---------------------------------------------------------------------------

    def place(
        self,
        x: float,
        y: float,
        scale: float,
        angle: float = 0.0,
        *,
        mirror: bool = False,
        shear: float = 0.0,
        aspect: float = 1.0,
    ) -> None:
        """Following shapes are given in a thing's own units: x right, y down, about -1..1.

        x, y: the thing's middle, and scale: its unit, in shares of the picture's side.
        """
        unit = scale * self.side
        wide = -unit * aspect if mirror else unit * aspect
        ca, sa = cos(angle), sin(angle)
        self.frame = (
            wide * ca,
            unit * (shear * ca - sa),
            x * self.side,
            wide * sa,
            unit * (shear * sa + ca),
            y * self.side,
        )

    def _number(self, points: Sequence[Point], part: str | None, look: Material) -> int:
        """Register a shape that has these corners (pixels); 0 when the canvas is full."""
        if len(self._parts) >= self.LIMIT:
            return 0
        xs = [p[0] for p in points]
        ys = [p[1] for p in points]
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        mid_x, mid_y = (left + right) / 2, (top + bottom) / 2
        reach = max(hypot(right - left, bottom - top) / 2, 2.0)
        lx, ly = self.light
        flat = self.contrast * (1 - look.ball)
        ax, ay = flat * lx / reach, flat * ly / reach
        base = 1.0 - ax * mid_x - ay * mid_y
        quad = 0.0
        if look.ball:
            near_x, near_y = mid_x + 0.4 * reach * lx, mid_y + 0.4 * reach * ly
            quad = -look.ball * 0.6 / (reach * reach)
            base += 0.18 * look.ball + quad * (near_x**2 + near_y**2)
            ax -= 2 * quad * near_x
            ay -= 2 * quad * near_y
        a, _, c, d, _, f = self.frame
        unit = hypot(a, d) or 1.0
        grain = unit / (0.42 * self.side) * look.grain * self.size / 96
        ca, sa = cos(look.angle), sin(look.angle)
        ux, uy = a / unit, d / unit  # the thing's own x direction
        ta, tb = (ux * ca - uy * sa) / grain, (uy * ca + ux * sa) / grain
        number = len(self._parts) + 1
        over = self._draw_offsets[(2 * number) % 512], self._draw_offsets[(2 * number + 1) % 512]
        self._rows.append(
            (
                ta,
                tb,
                over[0] - ta * c - tb * f,
                -tb,
                ta,
                over[1] + tb * c - ta * f,
                texture_index(look.texture) * SIDE * SIDE,
                *look.first,
                *(s - t for s, t in zip(look.second, look.first, strict=True)),
                base,
                ax,
                ay,
                quad,
            )
        )
        self._parts.append(NONE if part is None else part_index(part))
        return number

    def _map(self, points: Iterable[Point]) -> list[Point]:
        a, b, c, d, e, f = self.frame
        return [(a * x + b * y + c, d * x + e * y + f) for x, y in points]

    def polygon(self, points: Iterable[Point], part: str | None, look: Material) -> None:
        """A filled polygon."""
        placed = self._map(points)
        number = self._number(placed, part, look)
        if number and part not in self.left_out:
            self._draw.polygon(placed, fill=number)

    def rect(
        self, x0: float, y0: float, x1: float, y1: float, part: str | None, look: Material
    ) -> None:
        """A filled rectangle."""
        self.polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), part, look)

    def rounded(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        corner: float,
        part: str | None,
        look: Material,
    ) -> None:
        """A rectangle with cut, rounded corners."""
        k = corner * 0.3
        self.polygon(
            (
                (x0 + corner, y0),
                (x1 - corner, y0),
                (x1 - k, y0 + k),
                (x1, y0 + corner),
                (x1, y1 - corner),
                (x1 - k, y1 - k),
                (x1 - corner, y1),
                (x0 + corner, y1),
                (x0 + k, y1 - k),
                (x0, y1 - corner),
                (x0, y0 + corner),
                (x0 + k, y0 + k),
            ),
            part,
            look,
        )

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        part: str | None,
        look: Material,
        turn: float = 0.0,
    ) -> None:
        """A filled ellipse with half axes rx, ry, turned by `turn` radians."""
        ca, sa = cos(turn), sin(turn)
        self.polygon(
            [
                (x + ca * rx * u - sa * ry * v, y + sa * rx * u + ca * ry * v)
                for u, v in _circle(24)
            ],
            part,
            look,
        )

    def stroke(
        self, points: Iterable[Point], width: float, part: str | None, look: Material
    ) -> None:
        """A line through the points, `width` in the thing's units."""
        placed = self._map(points)
        number = self._number(placed, part, look)
        a, b, _, d, e, _ = self.frame
        if number and part not in self.left_out:
            wide = max(1, round(width * (hypot(a, d) + hypot(b, e)) / 2))
            self._draw.line(placed, fill=number, width=wide, joint="curve")

    def ring(
        self, x: float, y: float, radius: float, width: float, part: str | None, look: Material
    ) -> None:
        """A circle drawn as a line."""
        circle = [(x + radius * u, y + radius * v) for u, v in _circle(24)]
        self.stroke([*circle, *circle[:2]], width, part, look)

    # -- what came out ----------------------------------------------------------------------

    def numbers(self) -> NDArray[np.intp]:
        """The visible shape of every supersampled pixel, [y, x]; 0 is nothing painted."""
        return np.asarray(self._image).astype(np.intp)

    def part_numbers(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """The visible part of every supersampled pixel, [y, x]; `NONE` where there is none."""
        return np.array([NONE, *self._parts], dtype=np.intp)[numbers]

    def shade(
        self, numbers: NDArray[np.intp]
    ) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """(red, green, blue), each [y, x] in 0..1, and the light that falls there (about 1)."""
        table = np.array([(0.0,) * 17, *self._rows], dtype=np.float32).T
        y, x, square = _grid(self.side)

        def column(i: int) -> NDArray[np.float32]:
            return np.take(table[i], numbers)

        u = (column(0) * x + column(1) * y + column(2)).astype(np.int32) & (SIDE - 1)
        v = (column(3) * x + column(4) * y + column(5)).astype(np.int32) & (SIDE - 1)
        v *= SIDE
        v += u
        v += column(6).astype(np.int32)
        texel = np.take(_texels(), v)
        colors = [column(7 + i) + column(10 + i) * texel for i in range(3)]
        light = column(13) + column(14) * x + column(15) * y + column(16) * square
        return colors, light
