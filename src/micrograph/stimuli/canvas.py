"""Drawing with exactly known geometry: signed distances, anti-aliased by the pixel's coverage.

Places are in pixels from the picture's centre, x to the right and y up; angles are in degrees,
counter-clockwise from the right. A pattern is float32 [y, x] in -1 (black) .. 1 (white), 0 is grey.
"""

from functools import lru_cache

import numpy as np

GREY = 128
"""What a blank picture is made of; patterns fade to it."""


@lru_cache(maxsize=4)
def places(size: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the centre of every pixel, float32 [size, size] each."""
    along = (np.arange(size, dtype=np.float32) + 0.5) - size / 2
    x, y = np.meshgrid(along, -along)
    x.flags.writeable = y.flags.writeable = False
    return x, y


def turned(size: int, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of every pixel along the direction `degrees`, and to the left of it."""
    x, y = places(size)
    angle = np.deg2rad(degrees)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * c + y * s, y * c - x * s


def cover(distance: np.ndarray) -> np.ndarray:
    """Share of each pixel that lies inside; `distance` to the border in px is positive inside.

    Exact for straight borders along the pixels, and within some percent for all others that are
    straight on the scale of a pixel.
    """
    return np.clip(distance + 0.5, 0, 1)


def sides(distance: np.ndarray) -> np.ndarray:
    """Light inside (1), dark outside (-1)."""
    return 2 * cover(distance) - 1


def fade(size: int, radius: float, over: float) -> np.ndarray:
    """1 within `radius` of the centre, falling smoothly to 0 over the next `over` pixels."""
    x, y = places(size)
    t = np.clip((radius + over - np.hypot(x, y)) / over, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def aperture(size: int) -> np.ndarray:
    """The round window of the families that would otherwise fill the picture."""
    return fade(size, 0.38 * size, 0.1 * size)


def grey(pattern: np.ndarray) -> np.ndarray:
    """A pattern as a picture, uint8 [y, x, 3]."""
    values = np.clip(np.rint(GREY + pattern * 127), 0, 255).astype(np.uint8)
    return np.repeat(values[..., None], 3, axis=2)


def blank(size: int) -> np.ndarray:
    """The grey picture that responses are compared with, uint8 [y, x, 3]."""
    return np.full((size, size, 3), GREY, np.uint8)


def lengths(shortest: float, longest: float, count: int) -> tuple[float, ...]:
    """Lengths in px at equal ratios, rounded to a tenth."""
    return tuple(round(float(v), 1) for v in np.geomspace(shortest, longest, count))


def turns(count: int, period: int = 360) -> tuple[float, ...]:
    """`count` equally spaced angles in degrees."""
    return tuple(period * k / count for k in range(count))


def line_width(size: int) -> float:
    """Width in px of the lines in a picture of `size` px."""
    return max(2.0, size / 56)
