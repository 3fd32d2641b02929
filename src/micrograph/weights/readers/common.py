"""What the readers share: one error, bounds, and bytes that become a tensor."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from micrograph.weights.formats import LONGEST_NAME, MOST_TENSORS

Tensors = dict[str, Tensor]
"""By the file's own names, in its own layouts."""

Beside = Callable[[str], memoryview]
"""The content of the file that lies beside the one being read, by its name. Raises Damaged."""

LARGEST = 20 * 2**30
"""Bytes that an archive may unpack to, however large it is."""

MOST_MEMBERS = 2 * MOST_TENSORS
"""Files in an archive: each tensor of PyTorch's is one."""
LARGEST_SPLAT = 2**27
"""Elements that a file may fill with repeated values, all of its tensors together."""


class Damaged(Exception):
    """What is wrong with a file; `readers.read_any` says which file and what to do."""


def may_unpack_to(packed: int) -> int:
    """Bytes that an archive of `packed` bytes may unpack to: weights hardly compress."""
    return min(LARGEST, 64 * packed + 2**26)


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The same sizes. Raises Damaged for what no tensor can have."""
    if len(shape) > 16 or any(s < 0 for s in shape) or math.prod(max(1, s) for s in shape) > 2**48:
        raise Damaged(f"a tensor claims the shape {list(shape[:16])}")
    return tuple(shape)


def starts_with(data: memoryview, mark: bytes, at: int = 0) -> bool:
    """Whether these bytes stand there."""
    return bytes(data[at : at + len(mark)]) == mark


def tensor(
    data: bytes | bytearray | memoryview, dtype: torch.dtype, shape: Sequence[int]
) -> Tensor:
    """Little-endian elements in C order as a tensor of its own memory. Raises Damaged."""
    shape = checked_shape(shape)
    size = torch.empty((), dtype=dtype).element_size()
    if len(data) != math.prod(shape) * size:
        raise Damaged(f"a tensor of shape {list(shape)} in {dtype} has {len(data)} bytes")
    if not data:
        return torch.empty(shape, dtype=dtype)
    if dtype is torch.bool:  # any other byte than 0 and 1 must not get into a bool
        return torch.frombuffer(bytearray(data), dtype=torch.uint8).reshape(shape) != 0
    return torch.frombuffer(bytearray(data), dtype=dtype).reshape(shape)


def add(tensors: Tensors, name: str, value: Tensor) -> None:
    """Put it there. Raises Damaged if the name is taken or there are too many."""
    if name in tensors:
        raise Damaged(f"the tensor {name[:80]!r} stands twice")
    if len(tensors) >= MOST_TENSORS:
        raise too_many()
    tensors[name] = value


def too_many() -> Damaged:
    """The error for more tensors than a file may hold."""
    return Damaged(f"it holds more than {MOST_TENSORS} tensors, which no network for pictures has")


def check_names(tensors: Mapping[str, object]) -> None:
    """Raises Damaged for too many tensors, or a name that is none."""
    if len(tensors) > MOST_TENSORS:
        raise too_many()
    if any(len(name) > LONGEST_NAME for name in tensors):
        raise Damaged(f"a name in it is longer than {LONGEST_NAME} letters")
