"""What `torch.save` wrote before PyTorch 1.6 (or is told to): pickles one behind the other, then
the storages. Read as data, as the archives of today are: see `torch_objects`."""

import io
from collections.abc import Iterator
from typing import Any

from micrograph.weights.readers import pickles, torch_objects
from micrograph.weights.readers.common import Damaged
from micrograph.weights.readers.pickles import Global, Made, Persistent
from micrograph.weights.readers.storages import STORAGES, Storages

_MAGIC = 0x1950A86A20F9469CFC6C
PICKLES = 5
"""The mark of the format, its version, the machine, what was saved, and a list of storages."""
_COUNT = 8
"""Bytes of the number of elements before a storage."""


def read(data: memoryview) -> Any:
    """What was saved; of a file that is one pickle and no more, what that says. Raises Damaged."""
    file = io.BytesIO(data)
    first = pickles.read_next(file)
    if first != _MAGIC:
        return torch_objects.plain(first, Storages(_Contents({}), ""))
    _version, system, said, keys = (pickles.read_next(file) for _ in range(4))
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise Damaged("it was written on a big-endian machine; this reader knows little-endian")
    if not isinstance(keys, list):
        raise Damaged("its list of storages is missing")
    sizes = dict(_item_sizes(said))
    found: dict[str, memoryview] = {}
    at = file.tell()
    for key in keys:
        count = int.from_bytes(data[at : at + _COUNT], "little")
        begin, at = at + _COUNT, at + _COUNT + count * sizes.get(key, 1)
        if at > len(data):
            raise Damaged("it ends within a storage")
        found[f"/data/{key}"] = data[begin:at]
    return torch_objects.plain(said, Storages(_Contents(found), ""))


class _Contents:
    """The storages by the names that they would have in an archive."""

    def __init__(self, found: dict[str, memoryview]) -> None:
        self._found = found

    def read(self, name: str) -> memoryview:
        if name not in self._found:
            raise Damaged("a tensor's storage is not there")
        return self._found[name]


def _item_sizes(said: Any) -> Iterator[tuple[Any, int]]:
    """Bytes per element of each storage that is referred to, by its key."""
    seen: set[int] = set()
    todo = [said]
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Persistent):
            match value.key:
                case ("storage", Global() as kind, str(key), *_) if kind.path in STORAGES:
                    yield key, STORAGES[kind.path].itemsize
        elif isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, Made):
            todo += [value.args, value.state, value.items, value.members]
