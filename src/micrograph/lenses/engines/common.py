"""What lenses that make pictures by optimization have in common."""

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.optimize import channel, evaluate, memory
from micrograph.steps import StepHook, part_of, rising

Item = TypeVar("Item")
Made = TypeVar("Made")


def dictionaries(model: Model, nodes: Sequence[str]) -> dict[str, Any]:
    """The part of a recipe that says which dictionaries made other nodes that it names."""
    found = [model.attached(node) for node in nodes]
    made = {one.node.id: one.dictionary.digest for one in found if one is not None}
    return {"dictionaries": made} if made else {}


def in_range(name: str, value: float, low: float, high: float) -> None:
    """Raises BadInput where `value` is not a number between `low` and `high`."""
    if not isinstance(value, type(low) | int) or not low <= value <= high:
        raise BadInput(f"{name} {value!r} is out of range; expected {low} to {high}")


def key(seed: int, node: str, *more: int) -> tuple[int, ...]:
    """What keys a picture's randomness: with the node in it, so that unit 3 starts elsewhere in
    every node."""
    return (seed, zlib.crc32(node.encode()), *more)


def in_memory(
    items: Sequence[Item],
    work: Callable[[Sequence[Item], StepHook | None], Made],
    on_step: StepHook | None = None,
) -> Iterator[tuple[Sequence[Item], Made, float]]:
    """`work(items, hook)`, in halves when memory runs out: items, result and seconds for each item.

    `on_step` hears through `hook` of the steps of all items together, and never goes back though
    halves begin again.
    """
    yield from _in_parts(items, work, rising(on_step))


def _in_parts(
    items: Sequence[Item],
    work: Callable[[Sequence[Item], StepHook | None], Made],
    on_step: StepHook | None,
) -> Iterator[tuple[Sequence[Item], Made, float]]:
    started = time.perf_counter()
    try:
        made = [work(items, on_step)]
    except (RuntimeError, MemoryError) as error:
        if len(items) == 1 or not memory.is_out_of_memory(error):
            raise
        made = []
    if made:
        yield items, made[0], (time.perf_counter() - started) / len(items)
        return
    # Outside the handler, so that the failed batch's tensors are gone.
    half = len(items) // 2
    for done, part in ((0, items[:half]), (half, items[half:])):
        yield from _in_parts(part, work, part_of(on_step, done, len(part), len(items)))


def mosaic(pictures: np.ndarray, columns: int) -> np.ndarray:
    """Pictures [n, y, x, 3] side by side, row by row; n is a multiple of `columns`."""
    n, y, x, channels = pictures.shape
    rows = pictures.reshape(n // columns, columns, y, x, channels)
    tiled: np.ndarray = rows.swapaxes(1, 2).reshape(n // columns * y, columns * x, channels)
    return tiled


def as_images(pictures: Sequence[np.ndarray]) -> Tensor:
    """Pictures of one size, uint8 [y, x, 3], as float32 [n, 3, y, x] in 0..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def cut(mosaics: Sequence[np.ndarray], columns: int, rows: int) -> list[np.ndarray]:
    """The reverse of `mosaic`: the pictures of all `mosaics`, one mosaic after the other."""
    found: list[np.ndarray] = []
    for whole in mosaics:
        for row in np.split(whole, rows, axis=0):
            found += np.split(row, columns, axis=1)
    return found


def channel_scores(
    model: Model, node: str, units: Sequence[int | None], pictures: Sequence[np.ndarray]
) -> list[float]:
    """The mean activation of each of `units` on its picture."""
    chosen = [unit for unit in units if unit is not None]
    found: list[float] = []
    for part, scores, _ in in_memory(
        range(len(chosen)),
        lambda part, _: evaluate(
            model,
            channel(node, [chosen[k] for k in part]),
            as_images([pictures[k] for k in part]),
        ).tolist(),
    ):
        assert len(part) == len(scores)
        found += scores
    return found


def largest_means(maps: Tensor, most: int = 16) -> list[list[tuple[int, float]]]:
    """For each picture of activations [batch, unit, ...] the units of largest mean, best first."""
    means = maps.flatten(2).mean(2) if maps.ndim > 2 else maps
    values, units = means.topk(min(most, means.shape[1]))
    return [
        [(int(u), float(f"{v:.5g}")) for u, v in zip(us, vs, strict=True)]
        for us, vs in zip(units.tolist(), values.tolist(), strict=True)
    ]
