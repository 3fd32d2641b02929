"""A checkpoint of slim with random values: the same for every program that asks. numpy only."""

import zlib

import numpy as np


def value(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The value of the variable `name`, float32; norms are far from doing nothing."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    leaf = name.rpartition("/")[2]
    if leaf in ("gamma", "moving_variance"):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    spread = np.sqrt(2 / np.prod(shape[:-1])) if leaf == "weights" else 0.2
    return (spread * random.standard_normal(shape)).astype(np.float32)


def picture(size: int) -> np.ndarray:
    """Noise [1, size, size, 3] in -1..1."""
    return np.random.RandomState(size).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)


def sample(value: np.ndarray) -> np.ndarray:
    """What is kept of a node's value [1, y, x, unit] or [1, ..., unit]: 8 units, of each the mean
    and the values at the four corners; float32 [5, 8]."""
    units = value.shape[-1]
    chosen = value.reshape(-1, *value.shape[-3:]) if value.ndim == 4 else value.reshape(1, 1, 1, -1)
    picked = chosen[0][..., np.linspace(0, units - 1, 8).astype(int)]
    corners = [picked[y, x] for y in (0, -1) for x in (0, -1)]
    return np.stack([picked.mean((0, 1), dtype=np.float64), *corners]).astype(np.float32)
