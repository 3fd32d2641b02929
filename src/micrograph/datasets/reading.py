"""Pictures on their way to the network: decoded in threads of their own, a few batches ahead."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.cards.preprocessing import Preprocessing
from micrograph.datasets.base import Dataset
from micrograph.errors import BadInput
from micrograph.models.pictures import centre

WORKERS = 2
AHEAD = 3
"""Batches that are decoded or waiting while the network works on one."""

GREY = 128
"""Fills the places of a batch that have no picture."""


@dataclass(frozen=True)
class Batch:
    """The pictures `index * size` to `(index + 1) * size - 1` of a dataset.

    `pixels` is uint8 [size, y, x, 3], always of the full size and each picture always at the same
    place, so that a picture's activations do not depend on how a dataset was cut: the place of one
    that could not be read, or lies behind the end, is grey. `valid` [size] tells which are there;
    `problems` why one is not, by number.
    """

    index: int
    numbers: np.ndarray
    classes: np.ndarray
    pixels: np.ndarray
    valid: np.ndarray
    problems: dict[int, str]

    def images(self, device: torch.device | str = "cpu") -> Tensor:
        """RGB [size, 3, y, x] in 0..1, in the memory layout in which networks are fastest."""
        pixels = torch.from_numpy(self.pixels).to(device).permute(0, 3, 1, 2)
        return (pixels.to(torch.float32) / 255).contiguous(memory_format=torch.channels_last)


def batches(
    dataset: Dataset, preprocessing: Preprocessing, size: int, indices: Iterable[int]
) -> Iterator[Batch]:
    """The batches with these indices, at most `ceil(len(dataset) / size)` of them, in that order.

    A picture that cannot be decoded is left out and its reason kept. Raises Conflict for one that
    has changed since the dataset was opened, Unavailable for one that has gone.
    """
    waiting: deque[Future[Batch]] = deque()
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="micrograph-decode")
    try:
        for index in indices:
            waiting.append(pool.submit(_batch, dataset, preprocessing, size, index))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def picture(dataset: Dataset, preprocessing: Preprocessing, number: int) -> np.ndarray:
    """Picture `number` as the network sees it, uint8 [y, x, 3]. Raises as `Dataset.picture`."""
    return np.asarray(centre(dataset.picture(number), preprocessing))


def _batch(dataset: Dataset, preprocessing: Preprocessing, size: int, index: int) -> Batch:
    first = index * size
    side = preprocessing.size
    numbers = np.arange(first, first + size)
    classes = np.full(size, -1)
    pixels = np.full((size, side, side, 3), GREY, np.uint8)
    valid = np.zeros(size, bool)
    problems: dict[int, str] = {}
    for number in range(first, min(first + size, len(dataset))):
        try:
            pixels[number - first] = picture(dataset, preprocessing, number)
        except BadInput as error:
            problems[number] = str(error)
            continue
        classes[number - first] = dataset.entries[number].cls
        valid[number - first] = True
    return Batch(index, numbers, classes, pixels, valid, problems)
