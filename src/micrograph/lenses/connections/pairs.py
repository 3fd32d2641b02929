"""Strengths of all pairs of units of two nodes, for other orders than that of the lists."""

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import Unavailable
from micrograph.lenses.connections.lens import ConnectionsResult
from micrograph.models.linear.groups import factored
from micrograph.models.linear.weights import Weights

LARGEST = 225
"""Positions of a kernel that is stored, at most: a flattened map of 15 x 15."""
MOST_PAIRS = 1 << 22
"""Pairs of units whose strengths are stored: 16 MB."""
MOST_KERNELS = 8 << 20
"""Weights of kernels that are stored beside them: 16 MB."""
KERNELS = 6
"""How many times as many kernels of each sign as are listed, so that other orders find theirs: of
the strongest by weight x activation in BVLC GoogLeNet 95 in 100 are among them."""


def pairs(found: Weights, kernels: int, groups: int) -> ConnectionsResult:
    """Strengths and sizes of all pairs, at most so many kernels of each unit and sign, and `groups`
    of units.

    Raises Unavailable where there are more than are stored.
    """
    strength, size = found.strength, found.size
    if size.numel() > MOST_PAIRS:
        raise Unavailable(
            f"{found.target} and {found.source} have {len(size)} x {size.shape[1]} pairs of units; "
            f"strengths of at most {MOST_PAIRS} are stored"
        )
    scale = float(size.max()) or 1.0
    parts, shares, explained = factored(found.kernels, groups)
    kept: dict[str, np.ndarray] = {
        "strength": (strength / scale).numpy().astype(np.float16),
        "size": (size / scale).numpy().astype(np.float16),
        **kept_kernels(found.kernels / scale, size, strength, kernels),
    }
    if parts:
        kept["group_targets"] = torch.stack([rows for rows, _ in parts]).numpy().astype(np.float32)
        kept["group_sources"] = torch.stack([some for _, some in parts]).numpy().astype(np.float32)
    return ConnectionsResult(
        other=found.source,
        count=size.shape[1],
        exact=found.exact,
        notes=tuple(str(note) for note in found.approximations),
        scale=scale,
        shares=tuple(shares),
        explained=explained,
        kept=kept,
    )


def kept_kernels(
    kernels: Tensor, size: Tensor, strength: Tensor, most: int
) -> dict[str, np.ndarray]:
    """The kernels of the `most` largest of each sign of each unit, all in one row, without the
    border in which all kernels of the unit are 0: most units of a block see less than the block."""
    rows, columns = kernels.shape[2:]
    if rows * columns > LARGEST:
        return {}
    boxes, near, starts, parts, first = [], [], [], [], 0
    for unit, own in enumerate(kernels):
        listed: list[int] = []
        for there in (strength[unit] > 0, strength[unit] <= 0):
            order = size[unit].masked_fill(~there, -1.0).argsort(descending=True, stable=True)
            listed += order[: min(most, int(there.sum()))].tolist()
        top, left, high, wide = _box(own)
        if first + len(listed) * high * wide > MOST_KERNELS:
            listed = []
        rows_of = torch.tensor(listed, dtype=torch.long)
        some = own[rows_of, top : top + high, left : left + wide].flatten()
        parts.append(some)
        boxes.append([top, left, high, wide])
        starts.append(first)
        first += len(some)
        near.append([*listed, *[-1] * (2 * most - len(listed))])
    return {
        "near": np.array(near, np.int16 if len(size[0]) < 1 << 15 else np.int32),
        "boxes": np.array(boxes, np.int16),
        "starts": np.array(starts, np.int32),
        "sides": np.array([rows, columns], np.int16),
        "kernels": torch.cat(parts).numpy().astype(np.float16),
    }


def _box(kernels: Tensor) -> tuple[int, int, int, int]:
    """The smallest rectangle of positions outside of which all kernels are 0."""
    seen = kernels.abs().amax(0) > 0
    if not seen.any():
        return 0, 0, 1, 1
    rows, columns = (seen.any(1 - axis).nonzero().flatten().tolist() for axis in (0, 1))
    return rows[0], columns[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
