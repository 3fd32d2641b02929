"""How many pictures fit into memory together, and what to do when they do not."""

from pathlib import Path

import torch

from micrograph.models.model import Model

# A larger batch hardly runs faster (benchmarks/step.py measures it on your machine), it only
# keeps the reader waiting longer for the first picture.
_LARGEST = {"cpu": 16, "cuda": 256, "mps": 32}

_COPIES = 4
"""Tensors alive at once per activation value: value, gradient, and the backend's work space."""


def free_bytes(device: torch.device) -> int:
    """Memory that can be taken now, in bytes."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 4 << 30


def batch_size(model: Model, node: str, size: int) -> int:
    """Pictures of `size` px to optimize together for `node`: what fits in half the free memory,
    and no more than runs faster together; at least 1."""
    place = model.node(node)
    side = model.preprocessing.size
    values = 3 * size * size
    for other in model.nodes.values():
        if other.index <= place.index:
            y, x = other.shape if len(other.shape) == 2 else (1, 1)
            values += other.units * (y * size // side + 1) * (x * size // side + 1)
    fits = free_bytes(model.device) // 2 // (values * 4 * _COPIES)
    return max(1, min(int(fits), _LARGEST.get(model.device.type, 16)))


def is_out_of_memory(error: BaseException) -> bool:
    """True for the errors torch raises when a device, or the machine, has no memory left."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
