"""A dictionary of arrays that `numpy.save` wrote as one object (`.npy`, with a pickle inside).

AlexNet and others went round in this form: {layer: [weights, biases]} or {layer: {name: array}}.
Names are joined by "/", places in a list are numbers: `conv1/0`. The pickle is read as data.
"""

import io
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from micrograph.weights.readers import pickles
from micrograph.weights.readers.common import Damaged, Tensors, add, checked_shape, tensor
from micrograph.weights.readers.pickles import Global, Made

DEEPEST = 8
MOST_STEPS = 200_000
_ITEMS = {
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
    "i1": torch.int8,
    "i2": torch.int16,
    "i4": torch.int32,
    "i8": torch.int64,
    "u1": torch.uint8,
    "b1": torch.bool,
}
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
ARRAYS = (*(f"{m}._reconstruct" for m in _MULTIARRAY), *(f"{m}._frombuffer" for m in _NUMERIC))
"""What a pickle would have called to make an array."""


def read(data: memoryview) -> Tensors:
    """The arrays of the dictionary."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            header = np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
    except Exception as error:  # a damaged header fails in any way inside numpy
        raise Damaged(f"its header is not readable ({str(error)[:80]})") from None
    if not dtype.hasobject or math.prod(shape) != 1:
        raise Damaged("it holds one array of numbers; expected a dict of arrays")
    content = pickles.read(file.read())
    while isinstance(content, Made):
        content = _only_item(content)
    if not isinstance(content, dict):
        raise Damaged("it holds no dict of arrays")
    return _ArrayWalk().walk(content)


def _only_item(array: Made) -> Any:
    """What an object array of one element holds: the last entry of its state."""
    match array.state:
        case (*_, [item]) if array.is_of(*(f"{m}._reconstruct" for m in _MULTIARRAY)):
            return item
    raise Damaged("it holds no dict of arrays")


class _ArrayWalk:
    """From nested dicts and lists to names. Bounded: parts may refer to each other in rings."""

    def __init__(self) -> None:
        self.tensors: Tensors = {}
        self.arrays: dict[int, Tensor] = {}  # an array that is referred to twice is made once
        self.steps = 0

    def walk(self, value: Any, names: tuple[str, ...] = ()) -> Tensors:
        self.steps += 1
        if len(names) > DEEPEST or self.steps > MOST_STEPS:
            raise Damaged("its dicts and lists are nested without end")
        if isinstance(value, dict):
            for key, inner in value.items():
                self.walk(inner, (*names, str(key)))
        elif isinstance(value, list | tuple):
            for place, inner in enumerate(value):
                self.walk(inner, (*names, str(place)))
        elif isinstance(value, Made):
            if id(value) not in self.arrays:
                self.arrays[id(value)] = array(value)
            add(self.tensors, "/".join(names), self.arrays[id(value)])
        elif isinstance(value, pickles.Global | pickles.Persistent):
            raise Damaged(f"{'/'.join(names)[:80]!r} is something else than an array")
        return self.tensors  # numbers and texts beside the arrays are no weights


def array(made: Made) -> Tensor:
    """An ndarray as numpy pickles it: rebuilt and filled, or (protocol 5) from a buffer."""
    if made.is_of(*(f"{m}._reconstruct" for m in _MULTIARRAY)):
        match made.state:
            case (int(), tuple(shape), Made() as dtype, bool() | int() as fortran, raw):
                return _tensor(raw, dtype, shape, bool(fortran))
    if made.is_of(*(f"{m}._frombuffer" for m in _NUMERIC)):
        match made.args:
            case (raw, Made() as dtype, tuple(shape), str(order)):
                return _tensor(raw, dtype, shape, order == "F")
    named = made.what.path if isinstance(made.what, Global) else "something"
    raise Damaged(f"it would call {named[:80]} to be read, so it was refused and nothing was run")


def _tensor(raw: object, dtype: Made, shape: tuple[object, ...], fortran: bool) -> Tensor:
    sizes = [s for s in shape if isinstance(s, int)]
    if len(sizes) != len(shape):
        raise Damaged("an array has a shape that is no numbers")
    if isinstance(raw, str):  # of Python 2
        try:
            raw = raw.encode("latin-1")
        except UnicodeEncodeError:
            raise Damaged("an array has text where its values should be") from None
    if not isinstance(raw, bytes | bytearray):
        raise Damaged("an array has no bytes")
    item, big_endian = _item(dtype)
    checked_shape(sizes)
    if len(raw) % item.itemsize:
        raise Damaged("an array has half an element")
    if big_endian:
        raw = np.frombuffer(raw, np.uint8).reshape(-1, item.itemsize)[:, ::-1].tobytes()
    if fortran:
        return tensor(raw, item, sizes[::-1]).permute(*range(len(sizes))[::-1]).contiguous()
    return tensor(raw, item, sizes)


def _item(dtype: Made) -> tuple[torch.dtype, bool]:
    """The kind of element, and whether its bytes are in the other order."""
    match dtype.args, dtype.state:
        case (str(code), *_), (int(), "<" | ">" | "|" | "=" as order, *_) if (
            dtype.is_of("numpy.dtype") and code in _ITEMS
        ):
            return _ITEMS[code], order == ">" and _ITEMS[code].itemsize > 1
    raise Damaged("an array is of a kind that is no weights")
