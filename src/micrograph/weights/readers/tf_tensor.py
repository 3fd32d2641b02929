"""TensorFlow's TensorProto and TensorShapeProto (tensor.proto, tensor_shape.proto, types.proto)."""

import math

import numpy as np
import torch
from torch import Tensor

from micrograph.weights.readers.common import Damaged, checked_shape, tensor
from micrograph.weights.readers.protobuf import Value, fields, whole, wholes

DTYPES = {
    1: torch.float32,
    2: torch.float64,
    3: torch.int32,
    4: torch.uint8,
    5: torch.int16,
    6: torch.int8,
    9: torch.int64,
    10: torch.bool,
    14: torch.bfloat16,
    19: torch.float16,
}
"""By the number of TensorFlow's DataType; the others (strings, ...) are no weights."""

_FLOAT_FIELDS = {5: torch.float32, 6: torch.float64}
_WHOLE_FIELDS = {7, 10, 11, 13}  # int_val, int64_val, bool_val, half_val


def shape_of(data: Value) -> tuple[int, ...]:
    """A TensorShapeProto. Raises Damaged if sizes are unknown."""
    sizes = []
    for number, _, dim in fields(data):
        if number == 2:
            sizes.append(next((whole(v) for n, _, v in fields(dim) if n == 1), 0))
        elif number == 3:
            raise Damaged("a tensor has an unknown number of dimensions")
    return checked_shape(sizes)


class Budget:
    """How many more elements a file may fill with repeated values."""

    def __init__(self, elements: int) -> None:
        self.left = elements

    def take(self, elements: int) -> None:
        """Raises Damaged when it is spent."""
        self.left -= elements
        if self.left < 0:
            raise Damaged("its tensors claim far more values than it holds")


def tensor_of(
    data: Value, budget: Budget, shape: tuple[int, ...] | None = None, kind: int = 0
) -> Tensor | None:
    """A TensorProto as a tensor; None for kinds that are no weights (strings, ...).

    `shape` and `kind` (a DataType) hold where the message has none, as in checkpoints. Values may
    be stored as raw bytes or one by one; then the last stands for all that follow, and none at all
    means zeros.
    """
    content = memoryview(b"")
    own_shape: tuple[int, ...] = ()
    packed: dict[int, bytearray] = {}
    numbers: list[int] = []
    for number, _, value in fields(data):
        if number == 1:
            kind = whole(value)
        elif number == 2:
            own_shape = shape_of(value)
        elif number in (4, *_FLOAT_FIELDS):
            if isinstance(value, int):
                raise Damaged("a tensor has a whole number where its values should be")
            if number == 4:
                content = value
            else:
                packed.setdefault(number, bytearray()).extend(value)
        elif number in _WHOLE_FIELDS:
            numbers.extend(wholes(value))
    dtype = DTYPES.get(kind)
    if dtype is None:
        return None
    shape = own_shape if shape is None else shape
    if len(content):
        return tensor(content, dtype, shape)
    for number, float_dtype in _FLOAT_FIELDS.items():
        if packed.get(number) and dtype is float_dtype:
            stored = packed[number]
            return _spread(tensor(stored, dtype, [len(stored) // dtype.itemsize]), shape, budget)
    return _spread(_from_wholes(numbers, dtype), shape, budget)


def _from_wholes(numbers: list[int], dtype: torch.dtype) -> Tensor:
    if not numbers:
        return torch.zeros(1, dtype=dtype)
    array = np.array(numbers, np.int64)
    if dtype in (torch.float16, torch.bfloat16):  # the bits of a half, as a whole number
        return torch.from_numpy(array.astype(np.uint16).view(np.int16)).view(dtype)
    if dtype in (torch.float32, torch.float64):
        raise Damaged("a tensor of floats holds whole numbers")
    return torch.from_numpy(array).to(dtype)


def _spread(values: Tensor, shape: tuple[int, ...], budget: Budget) -> Tensor:
    count = math.prod(shape)
    if len(values) > count and not (count == 0 and len(values) == 1):
        raise Damaged(f"a tensor of shape {list(shape)} has {len(values)} values")
    if len(values) < count:
        budget.take(count)
        rest = values[-1:].expand(count - len(values))  # takes no memory
        values = torch.cat([values, rest]) if len(values) > 1 else values.expand(count)
    return values[:count].reshape(shape)
