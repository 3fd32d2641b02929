"""A circuit drawn as PNG, as its SVG is, for where a picture of pixels is wanted."""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

from micrograph.lenses.connections.circuit import Circuit, CircuitUnit
from micrograph.lenses.connections.circuit_layout import (
    BAR,
    HIGH,
    KERNEL,
    STEPS,
    TILE,
    CircuitLayout,
    PlacedKernel,
    PlacedLine,
    PlacedUnit,
    PlacedWords,
    Point,
    circuit_layout,
)
from micrograph.lenses.connections.kernels import mixed
from micrograph.parts.lettering import font, spelled
from micrograph.parts.plots.svg import MINUS

if TYPE_CHECKING:
    from PIL.Image import Image

SCALE, FINE = 2, 3
"""Pixels of the file for a pixel of the drawing, and pixels that are drawn for one of the file."""
MOST = 60_000_000
"""Pixels that are drawn at most: a taller drawing has fewer for each pixel of the file."""
TEXT = 11
INK, PAPER = (29, 29, 31), (255, 255, 255)
_CURVE = 48
"""Straight pieces of a curve."""


def circuit_png(circuit: Circuit, picture_of: Callable[[CircuitUnit], "Image | None"]) -> bytes:
    """The circuit on white paper; `picture_of` gives the picture of a unit where there is one."""
    found = circuit_layout(circuit)
    fine = next(
        n for n in (FINE, 2, 1) if n == 1 or found.width * found.height * (SCALE * n) ** 2 <= MOST
    )
    drawn = _Drawing(found, SCALE * fine)
    for line in found.lines:
        drawn.line(line)
    for kernel in found.kernels:
        drawn.kernel(kernel)
    for unit in found.units:
        drawn.unit(unit, picture_of(unit.unit))
    for legend in found.legends:
        for n in range(STEPS):
            x = legend.x + BAR * n
            drawn.box((x, legend.y), BAR, HIGH, mixed(2 * n / (STEPS - 1) - 1))
        drawn.frame((legend.x, legend.y), BAR * STEPS, HIGH)
        for words in legend.words:
            drawn.words(words)
    for words in found.words:
        drawn.words(words)
    packed = BytesIO()
    size = (round(found.width * SCALE), round(found.height * SCALE))
    drawn.image.resize(size).save(packed, "PNG", optimize=True)
    return packed.getvalue()


class _Drawing:
    """The paper; places are those of the layout, times `times`."""

    def __init__(self, layout: CircuitLayout, times: int) -> None:
        from PIL import Image, ImageDraw

        self.times = times
        size = (round(layout.width * times), round(layout.height * times))
        self.image = Image.new("RGB", size, PAPER)
        self._draw = ImageDraw.Draw(self.image)
        self._font = font(TEXT * times)

    def _at(self, point: Point) -> tuple[int, int]:
        return round(point[0] * self.times), round(point[1] * self.times)

    def box(self, corner: Point, width: float, height: float, fill: tuple[int, int, int]) -> None:
        """A filled rectangle."""
        (left, top), (right, bottom) = (
            self._at(corner),
            self._at((corner[0] + width, corner[1] + height)),
        )
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=fill)

    def frame(self, corner: Point, width: float, height: float) -> None:
        """A thin line around a rectangle."""
        (left, top), (right, bottom) = (
            self._at(corner),
            self._at((corner[0] + width, corner[1] + height)),
        )
        ink = _faded(INK, 0.35)
        self._draw.rectangle((left, top, right - 1, bottom - 1), outline=ink, width=self.times)

    def line(self, line: PlacedLine) -> None:
        """A line of even width, through which those below show."""
        from PIL import Image, ImageDraw

        points = [line.start, *_curve(line)]
        half = line.width / 2 + 1
        left, right = points[0][0] - half, points[-1][0] + half
        top = min(y for _, y in points) - half
        bottom = max(y for _, y in points) + half
        corner, end = self._at((left, top)), self._at((right, bottom))
        mask = Image.new("L", (max(1, end[0] - corner[0]), max(1, end[1] - corner[1])), 0)
        ImageDraw.Draw(mask).polygon(
            [
                ((x - left) * self.times, (y - top) * self.times)
                for x, y in _outline(points, line.width / 2)
            ],
            fill=round(0.7 * 255),
        )
        self.image.paste(line.colour, corner, mask)

    def kernel(self, one: PlacedKernel) -> None:
        """Weights, and the strength beside them."""
        for m, row in enumerate(one.edge.kernel):
            for n, weight in enumerate(row):
                corner = (one.x + one.side * n, one.y + one.side * m)
                self.box(corner, one.side, one.side, mixed(weight / one.scale if one.scale else 0))
        if one.is_lacking:
            self.box((one.x, one.y), KERNEL, KERNEL, _faded(INK, 0.1))
        if one.rows and one.columns:
            self.frame((one.x, one.y), one.side * one.columns, one.side * one.rows)
        self.words(one.number)

    def unit(self, spot: PlacedUnit, picture: "Image | None") -> None:
        """Its picture, or a grey square, and the words below."""
        from PIL import Image, ImageOps

        self.box((spot.x, spot.y), TILE, TILE, _faded(INK, 0.1))
        if picture is not None:
            side = TILE * self.times
            shown = ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
            self.image.paste(shown, self._at((spot.x, spot.y)))
        for words in spot.words:
            self.words(words)

    def words(self, one: PlacedWords) -> None:
        """A line of text on its base line."""
        ink = _faded(INK, 0.66) if one.quiet else INK
        heavy = 0.2 * self.times if one.bold else 0.0
        pieces = [spelled(piece) for piece in one.words.split(MINUS)]
        minus = self._font.getlength("+")
        long = sum(map(self._font.getlength, pieces)) + minus * (len(pieces) - 1)
        x, y = one.x * self.times, one.y * self.times
        x -= {"start": 0.0, "middle": long / 2, "end": long}[one.anchor]
        for number, piece in enumerate(pieces):
            if number:  # its own sign, which the font lacks
                high, thick = y - 0.34 * TEXT * self.times, max(1, round(0.95 * self.times))
                ends = (x + 0.1 * minus, high, x + 0.9 * minus, high)
                self._draw.line(ends, fill=ink, width=thick)
                x += minus
            self._draw.text((x, y), piece, ink, self._font, anchor="ls", stroke_width=heavy)
            x += self._font.getlength(piece)


def _curve(line: PlacedLine) -> list[Point]:
    """Points of the curve (a cubic of Bézier)."""
    points = (line.bend_from, *line.handles, line.end)
    found = []
    for step in range(_CURVE + 1):
        t = step / _CURVE
        parts = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        x, y = (sum(w * p[axis] for w, p in zip(parts, points, strict=True)) for axis in (0, 1))
        found.append((x, y))
    return found


def _outline(points: list[Point], half: float) -> list[Point]:
    """The polygon around a path, half its width to each side."""
    above, below = [], []
    for number, (x, y) in enumerate(points):
        (x0, y0), (x1, y1) = points[max(0, number - 1)], points[min(len(points) - 1, number + 1)]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
        nx, ny = half * (y0 - y1) / length, half * (x1 - x0) / length
        above.append((x + nx, y + ny))
        below.append((x - nx, y - ny))
    return [*above, *below[::-1]]


def _faded(ink: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """An ink that covers the paper by that share."""
    r, g, b = (round(p + (i - p) * share) for i, p in zip(ink, PAPER, strict=True))
    return r, g, b
