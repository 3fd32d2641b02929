"""How many pictures fit into memory together, and what to do when they do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from micrograph.heap import says_no_memory
from micrograph.models.model import Model
from micrograph.optimize import memory_limits

# A larger batch hardly runs faster (benchmarks/step.py measures it on your machine), it only
# keeps the reader waiting longer for the first picture.
_LARGEST = {"cpu": 16, "cuda": 256, "mps": 32}

_COPIES = 4
"""Tensors alive at once per activation value: value, gradient, and the backend's work space."""


_FIXED_BUDGET = {"cpu": 2 << 30, "cuda": 16 << 30, "mps": 2 << 30}
"""Bytes that a batch may take where its size must not depend on what happens to be free."""

_fixed: ContextVar[bool] = ContextVar("fixed_memory_budget", default=False)


@contextmanager
def fixed_budget() -> Iterator[None]:
    """A context in which `batch_size` depends on the model, the node and the size only.

    In fp32 the last bits of a picture depend on its batch: what is to be made again, or gone on
    with, bit for bit needs the same batches, whatever memory is free by then.
    """
    token = _fixed.set(True)
    try:
        yield
    finally:
        _fixed.reset(token)


def free_bytes(device: torch.device) -> int:
    """Memory that can be taken now, in bytes."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    return memory_limits.free_bytes()


def _fixed_bytes(device: torch.device) -> int:
    """The same number at every run on one machine: a limit of it does not change, what is free
    does."""
    budget = _FIXED_BUDGET.get(device.type, 2 << 30)
    limit = None if device.type == "cuda" else memory_limits.most_bytes()
    return budget if limit is None else min(budget, limit // 4)


def batch_size(model: Model, node: str, size: int) -> int:
    """Pictures of `size` px to optimize together for `node`: what fits in half the free memory
    (within `fixed_budget`: in a number of bytes that is always the same), and no more than runs
    faster together; at least 1, and 1 where pictures go through a network one at a time."""
    if model.passes.alone:
        return 1
    place = model.node(node)
    side = model.preprocessing.size
    values = 3 * size * size
    for other in model.nodes.values():
        if other.index <= place.index:
            y, x = other.shape if len(other.shape) == 2 else (1, 1)
            values += other.units * (y * size // side + 1) * (x * size // side + 1)
    device = model.device
    budget = _fixed_bytes(device) if _fixed.get() else free_bytes(device) // 2
    fits = budget // (values * 4 * _COPIES)
    return max(1, min(int(fits), _LARGEST.get(model.device.type, 16)))


def is_out_of_memory(error: BaseException) -> bool:
    """True for the errors torch raises when a device, or the machine, has no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or says_no_memory(error)
