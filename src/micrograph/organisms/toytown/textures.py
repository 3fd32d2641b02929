"""Sixteen-odd seamless grey textures, made once from a fixed seed.

Every texture is 256 x 256, uint8, 0 is a material's first colour and 255 its second, and repeats
in both directions. One texel is one supersampled pixel at texture scale 1.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 256
Field = NDArray[np.float64]

NAMES: tuple[str, ...] = (
    "plain",
    "cloud",
    "grain",
    "brick",
    "planks",
    "tiles",
    "fur",
    "stripes",
    "zebra",
    "giraffe",
    "dots",
    "checks",
    "scales",
    "foliage",
    "grass",
    "stone",
    "ribs",
    "weave",
    "water",
    "feathers",
    "glass",
    "bark",
)


def texture_index(name: str) -> int:
    """The row of texture `name` in `stack()`."""
    return NAMES.index(name)


def _unit(field: Field) -> Field:
    """Stretch to 0..1 between the 1st and 99th percentile."""
    low, high = np.percentile(field, [1, 99])
    unit: Field = np.clip((field - low) / (high - low), 0, 1)
    return unit


def _noise(rng: np.random.Generator, power: float, stretch: tuple[float, float]) -> Field:
    """Seamless noise with spectrum 1 / f**power; `stretch` (y, x) makes its grain long."""
    fy = np.fft.fftfreq(SIDE)[:, None] * SIDE * stretch[0]
    fx = np.fft.fftfreq(SIDE)[None, :] * SIDE * stretch[1]
    radius = np.hypot(fy, fx)
    radius[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.standard_normal((SIDE, SIDE))) / radius**power
    return _unit(np.fft.ifft2(spectrum).real)


def _cells(rng: np.random.Generator, count: int) -> tuple[Field, Field]:
    """Seamless Voronoi cells: (distance to the border in texels, a random grey per cell)."""
    gap = np.abs(np.arange(SIDE) - rng.uniform(0, SIDE, (count, 2))[:, :, None])
    gap = np.minimum(gap, SIDE - gap)
    first, second = np.full((2, SIDE, SIDE), np.inf)
    cell = np.zeros((SIDE, SIDE), int)
    for number, (down, across) in enumerate(gap):  # one by one: all at once is ten times slower
        far = np.hypot(down[:, None], across)
        cell[far < first] = number
        second = np.minimum(second, np.maximum(first, far))
        first = np.minimum(first, far)
    return second - first, rng.uniform(0, 1, count)[cell]


def _scallops(x: Field, y: Field, wide: float, high: float) -> Field:
    """Rows of overlapping round-ended plates, light at the middle, dark at the lower rim."""
    best = np.zeros_like(x)
    for row in (0, 1):  # the row above hangs over the one below
        line = np.floor(y / high) + row
        shift = (line % 2) * wide / 2
        u = ((x + shift) % wide) / wide - 0.5
        v = (y - (line - 1) * high) / high
        inside = (u * 2) ** 2 + np.maximum(v - 0.5, 0) ** 2 < 1
        plate = 1 - 0.75 * np.clip(((u * 2) ** 2 + (v / 1.5) ** 2), 0, 1)
        best = np.where(inside & (best == 0), plate, best)
    return best


def _brick(x: Field, y: Field, grain: Field) -> Field:
    line = np.floor(y / 16)
    u = (x + (line % 2) * 16) % 32
    mortar = (u < 3) | (y % 16 < 3)
    tone = np.sin(line * 12.9 + np.floor((x + (line % 2) * 16) % SIDE / 32) * 78.2) * 43758.5
    tone = tone - np.floor(tone)
    return np.where(mortar, 1.0, 0.08 + 0.35 * tone + 0.25 * grain)


def _planks(x: Field, y: Field, grain: Field) -> Field:
    board = np.floor(x / 32)
    tone = (board * 0.37) % 1
    return np.where(x % 32 < 3, 0.0, 0.35 + 0.3 * tone + 0.45 * (grain - 0.3))


@cache
def stack() -> NDArray[np.uint8]:
    """All textures, [texture, y, x], in the order of `NAMES`."""
    rng = np.random.default_rng(20170)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    turn = 2 * np.pi / SIDE
    cloud = _noise(rng, 1.4, (1, 1))
    grain = _noise(rng, 0.5, (1, 1))
    upright = _noise(rng, 1.1, (0.22, 1))
    level = _noise(rng, 1.2, (1, 0.25))
    border, tone = _cells(rng, 60)
    small_border, small_tone = _cells(rng, 420)
    warp = 14 * (cloud - 0.5)
    made: dict[str, Field] = {
        "plain": 0.5 + 0.15 * (grain - 0.5),
        "cloud": cloud,
        "grain": grain,
        "brick": _brick(x, y, grain),
        "planks": _planks(x, y, upright),
        "tiles": _scallops(x, y, 32, 16),
        "fur": 0.15 + 0.85 * _noise(rng, 1.0, (0.12, 0.6)),
        "stripes": (np.sin(turn * 8 * x) > 0) * 0.9 + 0.1 * grain,
        "zebra": 1 / (1 + np.exp(-9 * np.sin(turn * 8 * (x + 1.6 * warp) + 1.2 * (cloud - 0.5)))),
        "giraffe": np.clip((border - 4) / 3, 0, 1) * (0.75 + 0.25 * tone),
        "dots": np.clip(2.2 - np.hypot((x % 32) - 16, (y % 32) - 16) / 4.5, 0, 1),
        "checks": ((np.floor(x / 16) + np.floor(y / 16)) % 2) * 0.9 + 0.1 * grain,
        "scales": _scallops(x, y, 16, 8),
        "foliage": np.clip(small_border / 7, 0, 1) * (0.35 + 0.65 * small_tone),
        "grass": upright,
        "stone": np.clip(border / 5, 0, 1) * (0.35 + 0.4 * tone + 0.3 * grain),
        "ribs": 0.5 + 0.5 * np.sin(turn * 16 * x),
        "weave": 0.5 + 0.25 * (np.sin(turn * 24 * x) + np.sin(turn * 24 * y)),
        "water": 0.5 + 0.5 * np.sin(turn * 12 * (y + 1.5 * warp)) * (0.4 + 0.6 * level),
        "feathers": _scallops(x, y, 16, 16) * (0.7 + 0.3 * upright),
        "glass": 0.25 + 0.75 * (np.sin(turn * 4 * (x + y)) > 0.55) + 0.1 * (cloud - 0.5),
        "bark": 0.5 + 0.5 * np.sin(turn * 14 * (x + warp)) * (0.5 + 0.5 * upright),
    }
    rows = [np.clip(made[name] * 255, 0, 255).astype(np.uint8) for name in NAMES]
    return np.stack(rows)
