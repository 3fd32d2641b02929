"""The tensors of PyTorch's archives: views of storages that lie as files beside the pickle."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from micrograph.weights.readers.common import Damaged, checked_shape
from micrograph.weights.readers.pickles import Global, Made, Persistent
from micrograph.weights.readers.zips import Files

TENSOR = "torch._utils._rebuild_tensor_v2"
"""What the pickle would have called to make a tensor."""

STORAGES = {
    "torch.FloatStorage": torch.float32,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.DoubleStorage": torch.float64,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}


class Storages:
    """Those of one archive, read when they are needed."""

    def __init__(self, archive: Files, folder: str) -> None:
        self.archive, self.folder = archive, folder
        self._read: dict[str, Tensor] = {}

    def tensor(self, made: Made) -> Tensor:
        """What `TENSOR` would have made. Raises Damaged."""
        match made.args:
            case (Persistent() as where, int(offset), tuple(shape), tuple(strides), *_) if len(
                shape
            ) == len(strides) and all(
                type(n) is int and 0 <= n < 2**48 for n in (offset, *shape, *strides)
            ):
                pass
            case _:
                raise Damaged("a tensor in it is described in an unknown way")
        storage = self._storage(where.key)
        sizes = checked_shape(shape)
        reach = sum((s - 1) * stride for s, stride in zip(sizes, strides, strict=True))
        if 0 in sizes:
            return torch.empty(sizes, dtype=storage.dtype)
        if offset + reach >= len(storage):
            raise Damaged("a tensor in it lies outside its storage")
        return storage.as_strided(sizes, strides, offset)

    def _storage(self, key: Any) -> Tensor:
        match key:
            case ("storage", Global() as kind, str(name), str(), int(count), *views) if (
                kind.path in STORAGES and views in ([], [None])
            ):
                pass
            case _:
                raise Damaged("a tensor's storage is described in an unknown way")
        if name not in self._read:
            content = self.archive.read(f"{self.folder}/data/{name}")
            dtype = STORAGES[kind.path]
            if count < 0 or len(content) != count * dtype.itemsize:
                raise Damaged(f"storage {name[:40]!r} has {len(content)} bytes for {count} {dtype}")
            raw = torch.from_numpy(np.frombuffer(bytearray(content), np.uint8))
            self._read[name] = raw != 0 if dtype is torch.bool else raw.view(dtype)
        found = self._read[name]
        if found.dtype is not STORAGES[kind.path]:
            raise Damaged(f"storage {name[:40]!r} is of two kinds")
        return found
