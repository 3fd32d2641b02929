"""Bent lines and borders, and corners.

After the synthetic stimuli of Cammarata et al., "Curve Detectors", Distill 2020; the coverage of a
pixel is computed where lucid samples the shape at random offsets.
"""

import numpy as np

from micrograph.stimuli.canvas import (
    aperture,
    cover,
    fade,
    grey,
    lengths,
    line_width,
    places,
    sides,
    turned,
    turns,
)
from micrograph.stimuli.family import Axis, StimulusFamily

DIRECTIONS = turns(24)


def _curve_axes(size: int, figures: tuple[str, ...]) -> tuple[Axis, ...]:
    return (
        Axis("direction", "bulging towards", "°", DIRECTIONS, period=360),
        Axis("radius", "radius", "px", lengths(size / 32, 0.3 * size, 5)),
        Axis("figure", "figure", "", figures),
    )


def _into_circle(size: int, direction: float, radius: float) -> np.ndarray:
    """Distance in px into a circle whose border runs through the picture's centre.

    There, the circle bulges towards `direction`: it is the point of the circle in that direction.
    """
    along, left = turned(size, direction)
    return np.asarray(radius - np.hypot(along + radius, left))


def _arc(size: int, radius: float) -> np.ndarray:
    """Leaves of a circle through the centre about 75° to either side of it."""
    return fade(size, 1.2 * radius, max(2.0, 0.3 * radius))


def curve(size: int, direction: float, radius: float, figure: str) -> np.ndarray:
    """A line bent to an arc of `radius` px, through the centre; light or dark on grey."""
    line = cover(line_width(size) / 2 - np.abs(_into_circle(size, direction, radius)))
    return grey(line * _arc(size, radius) * _sign(figure))


def curve_edge(size: int, direction: float, radius: float, figure: str) -> np.ndarray:
    """The border of a disc of `radius` px, through the centre; light or dark inside."""
    pattern = sides(_into_circle(size, direction, radius))
    return grey(pattern * _arc(size, radius) * _sign(figure))


def corner(size: int, direction: float, opening: float, figure: str) -> np.ndarray:
    """A wedge of `opening` degrees whose tip, in the centre, points to `direction`; or its two
    sides as lines."""
    x, y = places(size)
    if figure == "light lines":
        arms = (turned(size, direction + 180 + turn) for turn in (opening / 2, -opening / 2))
        near = [np.where(along > 0, np.abs(left), np.hypot(x, y)) for along, left in arms]
        pattern = cover(line_width(size) / 2 - np.minimum(*near))
        return grey(pattern * aperture(size))
    # Inside is what lies to the right of one arm and to the left of the other.
    _, right = turned(size, direction + 180 + opening / 2)
    _, left = turned(size, direction + 180 - opening / 2)
    return grey(sides(np.minimum(-right, left)) * aperture(size) * _sign(figure))


def _sign(figure: str) -> int:
    return 1 if figure.startswith("light") else -1


CURVES = StimulusFamily(
    "curves", "Curved lines", lambda size: _curve_axes(size, ("light line", "dark line")), curve
)
CURVE_EDGES = StimulusFamily(
    "curve_edges",
    "Curved borders",
    lambda size: _curve_axes(size, ("light inside", "dark inside")),
    curve_edge,
)
CORNERS = StimulusFamily(
    "corners",
    "Corners and angles",
    lambda size: (
        Axis("direction", "pointing to", "°", turns(16), period=360),
        Axis("opening", "opening", "°", (30.0, 60.0, 90.0, 120.0, 150.0)),
        Axis("figure", "figure", "", ("light inside", "dark inside", "light lines")),
    ),
    corner,
)
