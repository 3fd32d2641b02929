"""Telling the memory of one tensor from that of all others, without keeping the tensors.

A pass gives its memory back as it goes, and what is given back is used again: the same address may
be another value a moment later.
"""

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

Place = tuple[tuple[int, ...], tuple[int, ...], int]
"""Shape, strides and offset of a tensor in its storage."""


class StorageNumbers:
    """Numbers for the storages of tensors, from 1 on; no number is given twice."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, StorageWeakRef]] = {}
        self._count = 0
        self._sparse: dict[int, Tensor] = {}

    def number(self, t: Tensor) -> int:
        """That of the memory of `t`. A sparse one stands for itself; nothing lies in number 0."""
        if t.layout is not torch.strided:
            self._sparse[id(t)] = t
            return -id(t)
        storage = t.untyped_storage()
        address = storage.data_ptr()
        if not address:
            return 0
        known = self._known.get(address)
        if known is None or _is_gone(known[1]):
            self._count += 1
            known = self._known[address] = self._count, _weakly(storage)
        return known[0]


def _weakly(storage: torch.UntypedStorage) -> StorageWeakRef:
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call]


def _is_gone(storage: StorageWeakRef) -> bool:
    return bool(storage.expired())  # type: ignore[no-untyped-call]


def place_of(t: Tensor) -> Place:
    """Where a tensor lies in its storage."""
    return tuple(t.shape), t.stride(), int(t.storage_offset())


def at(place: Place) -> Tensor:
    """A tensor without values that lies at `place`."""
    shape, steps, offset = place
    reach = sum((n - 1) * step for n, step in zip(shape, steps, strict=True) if n)
    return torch.empty(offset + reach + 1, device="meta").as_strided(shape, steps, offset)
