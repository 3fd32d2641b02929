"""Caffe's `.caffemodel`: a NetParameter (caffe.proto) in protocol buffers' wire format.

A layer's blobs become `<layer>/0`, `<layer>/1`, ... in their stored shapes: [output, input, y, x]
for kernels, often [1, 1, output, input] or [1, 1, 1, n] in old files.
"""

import torch
from torch import Tensor

from micrograph.weights.formats import MOST_TENSORS
from micrograph.weights.readers.common import Damaged, Tensors, add, tensor, too_many
from micrograph.weights.readers.protobuf import BYTES, Value, fields, text, whole, wholes

# Fields of NetParameter, and of a layer of either kind: (name, blobs).
LAYERS = {100: (1, 7), 2: (4, 6)}
"""`layer` (LayerParameter) and, before 2015, `layers` (V1LayerParameter)."""


def read(data: memoryview) -> Tensors:
    """The blobs of all layers."""
    tensors: Tensors = {}
    for number, kind, value in fields(data):
        if number in LAYERS and kind == BYTES:
            name, blobs = _layer(value, *LAYERS[number])
            for index, blob in enumerate(blobs):
                add(tensors, f"{name}/{index}", _blob(blob))
    return tensors


def looks_like_it(data: memoryview) -> bool:
    """Whether a message is a NetParameter, rather than a GraphDef."""
    try:
        return any(
            number in LAYERS and kind == BYTES and _layer(value, *LAYERS[number])[0] != ""
            for number, kind, value in fields(data)
        )
    except Damaged:
        return False


def _layer(data: Value, name_field: int, blobs_field: int) -> tuple[str, list[Value]]:
    name = ""
    blobs: list[Value] = []
    for number, kind, value in fields(data):
        if number == name_field and kind == BYTES:
            name = text(value)
        elif number == blobs_field:
            if len(blobs) >= MOST_TENSORS:
                raise too_many()
            blobs.append(value)
    return name, blobs


def _blob(data: Value) -> Tensor:
    singles, doubles = bytearray(), bytearray()
    shape: list[int] | None = None
    legacy: dict[int, int] = {}  # num, channels, height, width
    for number, _, value in fields(data):
        if number in (5, 8):
            if isinstance(value, int):
                raise Damaged("a blob has a whole number where values should be")
            (singles if number == 5 else doubles).extend(value)
        elif number == 7:
            shape = [d for n, _, v in fields(value) if n == 1 for d in wholes(v)]
        elif number in (1, 2, 3, 4):
            legacy[number] = whole(value)
    if singles and doubles:
        raise Damaged("a blob has values of two kinds")
    values, dtype = (doubles, torch.float64) if doubles else (singles, torch.float32)
    if shape is None and legacy:
        shape = [legacy.get(n, 0) for n in (1, 2, 3, 4)]
    elif shape is None:
        shape = [len(values) // (8 if doubles else 4)]
    return tensor(values, dtype, shape)
