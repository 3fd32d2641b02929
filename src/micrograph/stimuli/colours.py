"""Colours: whole pictures of one hue, and a disc of one hue in a surround of another.

Hues are angles in OKLCH (Ottosson 2020, "A perceptual color space for image processing"), where
equal steps look equally large and lightness does not change with hue: about 29° is red, 110°
yellow, 142° green, 264° blue.
"""

from functools import lru_cache

import numpy as np

from micrograph.stimuli.canvas import GREY, cover, places, turns
from micrograph.stimuli.family import Axis, StimulusFamily, Value

_LMS = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)

EVEN = 0.6
"""OKLCH lightness of the grey that patterns lie on, nearly: colours of it are no lighter."""

CHROMA = 0.1
"""As colourful as all hues of lightness EVEN can be on a screen."""


def oklch(lightness: float, chroma: float, hue: float) -> np.ndarray:
    """The colour in sRGB, float64 [3]; below 0 or above 1 where a screen cannot show it."""
    angle = np.deg2rad(hue)
    lab = np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    linear = _RGB @ (_LMS @ lab) ** 3
    size = np.abs(linear)
    curved = np.where(size <= 0.0031308, 12.92 * size, 1.055 * size ** (1 / 2.4) - 0.055)
    return np.asarray(np.copysign(curved, linear))


@lru_cache(maxsize=512)
def most_colourful(lightness: float, hue: float) -> float:
    """The largest chroma that a screen can show at this lightness and hue."""
    low, high = 0.0, 0.4
    for _ in range(24):
        middle = (low + high) / 2
        colour = oklch(lightness, middle, hue)
        low, high = (middle, high) if (colour.min() >= 0 and colour.max() <= 1) else (low, middle)
    return low


def _even(hue: Value) -> np.ndarray:
    """A colour of the grey's lightness, 0..255; the grey itself for "grey"."""
    if isinstance(hue, str):
        return np.full(3, float(GREY))
    return oklch(EVEN, CHROMA, hue) * 255


def solid(size: int, hue: float, lightness: float) -> np.ndarray:
    """One colour, as colourful as a screen shows it."""
    colour = oklch(lightness, most_colourful(lightness, hue), hue)
    return np.broadcast_to(np.rint(colour * 255).astype(np.uint8), (size, size, 3)).copy()


def contrast(size: int, centre: Value, surround: Value) -> np.ndarray:
    """A disc of a sixteenth of the side in radius, in a surround as light as it."""
    x, y = places(size)
    inside = cover(size / 16 - np.hypot(x, y))[..., None]
    mixed = _even(surround) * (1 - inside) + _even(centre) * inside
    return np.asarray(np.rint(mixed).astype(np.uint8))


_HUES: tuple[Value, ...] = (*turns(12), "grey")

HUE = StimulusFamily(
    "hue",
    "Plain colours",
    lambda size: (
        Axis("hue", "hue", "°", turns(24), period=360),
        Axis("lightness", "lightness", "", (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
    ),
    solid,
)
COLOUR_CONTRAST = StimulusFamily(
    "colour_contrast",
    "Colour in colour",
    lambda size: (
        Axis("centre", "centre", "°", _HUES),
        Axis("surround", "surround", "°", _HUES),
    ),
    contrast,
)
