"""Connections of a node of the sample model, as their engine leaves them, but for their numbers."""

from collections.abc import Iterator
from typing import Any

import numpy as np

K = 3
"""Connections of each sign."""


def connections(
    units: int, other: str, others: int
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Variant, data and arrays of each result about a node with that many `units`."""
    rng = np.random.default_rng(units)
    about: dict[str, Any] = {
        "other": other,
        "count": others,
        "exact": False,
        "notes": ["relu in conv0: taken as the identity"],
    }
    kernels = rng.normal(size=(units, others, 3, 3)).astype(np.float32)
    size, strength = np.abs(kernels).sum((2, 3)), kernels.sum((2, 3))
    for variant in ("inputs", "outputs"):
        yield variant, about, _listed(kernels, size, strength)
    scale = float(size.max())
    near = np.argsort(-size, axis=1)[:, : 2 * K].astype(np.int16)
    yield (
        "pairs",
        {**about, "scale": scale, "shares": [0.75, 0.25], "explained": 0.5},
        {
            "strength": (strength / scale).astype(np.float16),
            "size": (size / scale).astype(np.float16),
            "near": near,
            "boxes": np.tile(np.array([0, 0, 3, 3], np.int16), (units, 1)),
            "starts": (9 * near.shape[1] * np.arange(units)).astype(np.int32),
            "sides": np.array([3, 3], np.int16),
            "kernels": (np.stack([kernels[u, near[u]] for u in range(units)]) / scale)
            .astype(np.float16)
            .ravel(),
            "group_targets": rng.dirichlet(np.ones(units), 2).astype(np.float32),
            "group_sources": rng.dirichlet(np.ones(others), 2).astype(np.float32),
        },
    )
    weights = rng.normal(size=(units, 3, 5, 5)).astype(np.float32)
    yield "picture", {"channels": "RGB"}, {"weights": weights}


def _listed(kernels: np.ndarray, size: np.ndarray, strength: np.ndarray) -> dict[str, np.ndarray]:
    rows, share = np.arange(len(size))[:, None], size / size.sum(1, keepdims=True)
    order = np.concatenate(
        [np.argsort(-size * (sign * strength > 0), axis=1)[:, :K] for sign in (1, -1)], 1
    )
    there = strength[rows, order] * np.repeat([1, -1], K) > 0
    return {
        "units": np.where(there, order, -1).astype(np.int32),
        "strength": (strength[rows, order] * there).astype(np.float32),
        "share": (share[rows, order] * there).astype(np.float32),
        "rest": (1 - (share[rows, order] * there).sum(1)).astype(np.float32),
        "kernels": kernels[rows, order].astype(np.float16),
    }
