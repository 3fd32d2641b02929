"""Round things: discs, rings, discs with a surround, and dots in different places."""

import numpy as np

from micrograph.stimuli.canvas import cover, grey, lengths, places
from micrograph.stimuli.family import Axis, StimulusFamily

ROUND = (
    "light disc",
    "dark disc",
    "light ring",
    "dark ring",
    "light in dark ring",
    "dark in light ring",
)
DOTS = {
    "small light": (1, 40),
    "small dark": (-1, 40),
    "large light": (1, 12),
    "large dark": (-1, 12),
}
"""Sign, and the part of the picture's side that the radius is."""


def ring(size: int, radius: float, figure: str) -> np.ndarray:
    """In the centre, on grey: a disc of `radius` px; a ring from 3/4 to 5/4 of it; or the disc in a
    ring of the other sign that reaches twice as far."""
    x, y = places(size)
    out = np.hypot(x, y)
    if "disc" in figure:
        pattern = cover(radius - out)
    elif " in " in figure:
        pattern = 2 * cover(radius - out) - cover(2 * radius - out)
    else:
        pattern = cover(1.25 * radius - out) - cover(0.75 * radius - out)
    return grey(pattern if figure.startswith("light") else -pattern)


def dot(size: int, y: float, x: float, figure: str) -> np.ndarray:
    """A dot on grey, x px to the right of the centre and y px above it."""
    sign, part = DOTS[figure]
    across, up = places(size)
    return grey(sign * cover(size / part - np.hypot(across - x, up - y)))


def _offsets(size: int) -> tuple[float, ...]:
    out = [round(size * part, 1) for part in (0.06, 0.14, 0.3)]
    return (*(-v for v in reversed(out)), 0.0, *out)


RINGS = StimulusFamily(
    "rings",
    "Discs and rings",
    lambda size: (
        Axis("radius", "radius", "px", lengths(1.5, 0.24 * size, 16)),
        Axis("figure", "figure", "", ROUND),
    ),
    ring,
)
SIZE_POSITION = StimulusFamily(
    "size_position",
    "Dots by place and size",
    lambda size: (
        Axis("y", "up", "px", _offsets(size)),
        Axis("x", "right", "px", _offsets(size)),
        Axis("dot", "dot", "", tuple(DOTS)),
    ),
    dot,
)
