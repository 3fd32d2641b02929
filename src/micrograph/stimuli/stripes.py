"""Straight things: gratings, edges, borders between textures, checkerboards."""

import numpy as np

from micrograph.stimuli.canvas import aperture, cover, grey, lengths, turned, turns
from micrograph.stimuli.family import Axis, StimulusFamily

FINE = 5.0
"""Wavelength in px of the finer texture; a whole receptive field of the early layers holds some."""

MIDDLES = ("light square", "dark square", "where four meet")


def _wave(along: np.ndarray, wavelength: float, phase: float = 0.0) -> np.ndarray:
    turns = along / np.float32(wavelength) + np.float32(phase / 360)
    return np.asarray(np.cos(np.float32(2 * np.pi) * turns))


def grating(size: int, orientation: float, wavelength: float, phase: float) -> np.ndarray:
    """Cosine stripes running along `orientation`. Phase 0 has a light one in the centre, 180 a dark
    one; at 90 it gets darker, in the centre, towards the left of the orientation."""
    _, left = turned(size, orientation)
    return grey(_wave(left, wavelength, phase) * aperture(size))


def edge(size: int, direction: float, blur: float) -> np.ndarray:
    """Dark to light towards `direction`, over a ramp of `blur` px through the centre; 0: a step."""
    along, _ = turned(size, direction)
    ramp = np.clip(2 * along / max(blur, 1.0), -1, 1)
    return grey(ramp * aperture(size))


def high_low(size: int, direction: float, ratio: float) -> np.ndarray:
    """A texture of wavelength FINE towards `direction`, beside one `ratio` times as coarse.

    Both are the mean of stripes along and across the border, so that neither side is lighter.
    """
    along, left = turned(size, direction)
    fine, coarse = ((_wave(along, FINE * r) + _wave(left, FINE * r)) / 2 for r in (1.0, ratio))
    share = cover(along)
    return grey((fine * share + coarse * (1 - share)) * aperture(size))


def checkerboard(size: int, side: float, orientation: float, middle: str) -> np.ndarray:
    """Squares of `side` px; the picture's centre is the middle of one, or a corner."""
    along, left = turned(size, orientation)
    shift = 0 if middle == MIDDLES[2] else side / 2
    board = _squares(along + shift, side) * _squares(left + shift, side)
    return grey(board * aperture(size) * (-1 if middle == MIDDLES[1] else 1))


def _squares(along: np.ndarray, side: float) -> np.ndarray:
    """Alternately 1 and -1 every `side` px, changing to 1 at 0, anti-aliased."""
    within = np.mod(along, 2 * side)
    border = np.minimum(within, np.abs(within - side))
    border = np.minimum(border, 2 * side - within)
    return np.asarray(np.where(within < side, 1, -1) * np.clip(2 * border, 0, 1))


GRATINGS = StimulusFamily(
    "gratings",
    "Gratings",
    lambda size: (
        Axis("orientation", "stripes along", "°", turns(12, 180), period=180),
        Axis("wavelength", "wavelength", "px", lengths(3, size / 4, 6)),
        Axis("phase", "phase", "°", turns(4), period=360),
    ),
    grating,
)
EDGES = StimulusFamily(
    "edges",
    "Edges",
    lambda size: (
        Axis("direction", "lighter towards", "°", turns(24), period=360),
        Axis("blur", "ramp of", "px", (0.0, *lengths(4, size / 4, 4))),
    ),
    edge,
)
HIGH_LOW = StimulusFamily(
    "high_low",
    "High and low frequency",
    lambda size: (
        Axis("direction", "finer towards", "°", turns(24), period=360),
        Axis("ratio", "coarser by", "", (1.5, 2.0, 3.0, 4.0, 6.0, 9.0)),
    ),
    high_low,
)
CHECKERBOARD = StimulusFamily(
    "checkerboard",
    "Checkerboards",
    lambda size: (
        Axis("side", "squares of", "px", lengths(2, size / 4, 8)),
        Axis("orientation", "turned by", "°", turns(6, 90), period=90),
        Axis("middle", "centre on", "", MIDDLES),
    ),
    checkerboard,
)
