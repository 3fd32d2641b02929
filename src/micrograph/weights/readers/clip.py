"""OpenAI's CLIP files: TorchScript archives, whose tensors are read without their program.

`torch.jit.load` compiles the code in such an archive. Here only `data.pkl` is read, as data:
modules become their attributes, tensors are found in `data/`. The names are those of
`state_dict()`; tensors that are plain attributes of a module stand among them.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from micrograph.weights.readers import pickles
from micrograph.weights.readers.common import Damaged, Tensors, add, checked_shape
from micrograph.weights.readers.pickles import Global, Made, Persistent
from micrograph.weights.readers.zips import Zip

DEEPEST = 64
MOST_STEPS = 200_000
_STORAGES = {
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


def is_one(archive: Zip) -> bool:
    """Whether an archive is TorchScript's, rather than a state dict."""
    return any(name.endswith("/constants.pkl") for name in archive.names)


def read(archive: Zip) -> Tensors:
    """Parameters and buffers of the module in the archive."""
    names = [name for name in archive.names if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(names) != 1:
        raise Damaged(f"it has {len(names)} data.pkl, expected one")
    folder = names[0].partition("/")[0]
    if f"{folder}/byteorder" in archive.names and archive.read(f"{folder}/byteorder") != b"little":
        raise Damaged("it was written on a big-endian machine; this reader knows little-endian")
    module = pickles.read(archive.read(names[0]))
    if not _is_module(module):
        raise Damaged("its data.pkl holds no module")
    return _ArchiveWalk(archive, folder).walk(module)


def _is_module(value: object) -> bool:
    """An object of a class that the archive's own code would have defined."""
    return (
        isinstance(value, Made)
        and isinstance(value.what, Global)
        and value.what.path.startswith("__torch__.")
        and isinstance(value.state, dict)
    )


class _ArchiveWalk:
    """From a module and those inside to names. Bounded: modules may refer to each other."""

    def __init__(self, archive: Zip, folder: str) -> None:
        self.archive, self.folder = archive, folder
        self.tensors: Tensors = {}
        self.storages: dict[str, Tensor] = {}
        self.steps = 0

    def walk(self, module: Any, names: tuple[str, ...] = ()) -> Tensors:
        for name, value in module.state.items():
            self.steps += 1
            if len(names) > DEEPEST or self.steps > MOST_STEPS:
                raise Damaged("its modules are nested without end")
            inner = (*names, str(name))
            if _is_module(value):
                self.walk(value, inner)
            elif isinstance(value, Made) and value.is_of("torch._utils._rebuild_tensor_v2"):
                add(self.tensors, ".".join(inner), self._tensor(value))
        return self.tensors

    def _tensor(self, made: Made) -> Tensor:
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

    def _storage(self, key: object) -> Tensor:
        match key:
            case ("storage", Global() as kind, str(name), str(), int(count)) if (
                kind.path in _STORAGES
            ):
                pass
            case _:
                raise Damaged("a tensor's storage is described in an unknown way")
        if name not in self.storages:
            content = self.archive.read(f"{self.folder}/data/{name}")
            dtype = _STORAGES[kind.path]
            if count < 0 or len(content) != count * dtype.itemsize:
                raise Damaged(f"storage {name[:40]!r} has {len(content)} bytes for {count} {dtype}")
            raw = torch.from_numpy(np.frombuffer(bytearray(content), np.uint8))
            self.storages[name] = raw != 0 if dtype is torch.bool else raw.view(dtype)
        found = self.storages[name]
        if found.dtype is not _STORAGES[kind.path]:
            raise Damaged(f"storage {name[:40]!r} is of two kinds")
        return found
