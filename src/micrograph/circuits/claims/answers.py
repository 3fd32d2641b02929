"""What units answered to a dataset: the pictures on which claims are judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from micrograph.datasets import Dataset
from micrograph.datasets.reading import picture
from micrograph.errors import BadInput
from micrograph.models.model import Model

BATCH = 16


@dataclass(frozen=True)
class NodeAnswers:
    """Of one node: `maxima` float32 [picture, unit] over the map, `mean` and `low` float32 [unit]
    over all positions of all pictures, and `maps` float16 [picture, k, y, x] of units `kept`."""

    maxima: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    kept: tuple[int, ...]
    maps: Tensor

    def map_of(self, unit: int) -> Tensor:
        """float32 [picture, y, x]."""
        return self.maps[:, self.kept.index(unit)].float()

    @property
    def rest(self) -> np.ndarray:
        """What a silenced unit is set to: 0 where the node's values are never below it, else the
        unit's mean, because nothing says that 0 is how such a unit says nothing."""
        rest: np.ndarray = np.where(self.low.min() >= 0, 0.0, self.mean).astype(np.float32)
        return rest

    def typical(self, quantile: float = 0.95) -> np.ndarray:
        """A strong answer of each unit, [unit]: a quantile of its maxima."""
        found: np.ndarray = np.quantile(self.maxima, quantile, axis=0)
        return found


@dataclass(frozen=True)
class Answers:
    """What some nodes answered to pictures of a dataset; `numbers` says to which, in order.
    `skipped` counts pictures that could not be read."""

    dataset: Dataset
    numbers: np.ndarray
    nodes: Mapping[str, NodeAnswers]
    skipped: int = 0
    _pixels: dict[int, np.ndarray] = field(default_factory=dict, compare=False)

    def images(self, model: Model, places: Sequence[int]) -> Tensor:
        """The pictures at `places` of `numbers`, RGB [picture, 3, y, x] in 0..1."""
        found = []
        for place in places:
            number = int(self.numbers[place])
            if number not in self._pixels:
                self._pixels[number] = picture(self.dataset, model.preprocessing, number)
            found.append(self._pixels[number])
        return _as_images(found).to(model.device)


def _as_images(pixels: Sequence[np.ndarray]) -> Tensor:
    stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
    return (stacked.float() / 255).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def look(
    model: Model,
    dataset: Dataset,
    units: Mapping[str, Sequence[int]],
    *,
    pictures: int = 1000,
    on_step: Callable[[int, int], None] | None = None,
) -> Answers:
    """What the nodes in `units` answer to `pictures` of the dataset, evenly spread over it; of the
    units named there the maps are kept.

    Raises BadInput where no picture could be read.
    """
    count = min(pictures, len(dataset))
    numbers = np.arange(count) * len(dataset) // count
    found: dict[str, list[tuple[Tensor, Tensor, Tensor, Tensor]]] = {n: [] for n in units}
    read: list[int] = []
    for first in range(0, count, BATCH):
        pixels = []
        for number in numbers[first : first + BATCH].tolist():
            try:
                pixels.append(picture(dataset, model.preprocessing, number))
            except BadInput:
                continue
            read.append(number)
        if pixels:
            values = model.run(_as_images(pixels).to(model.device), list(units))
            for node, kept in units.items():
                found[node].append(_summary(values[node], kept))
        if on_step is not None:
            on_step(min(first + BATCH, count), count)
    if not read:
        raise BadInput(f"no picture of {dataset.title} could be read; look at the files")
    return Answers(
        dataset,
        np.array(read),
        {node: _joined(parts, units[node]) for node, parts in found.items()},
        count - len(read),
    )


def _summary(values: Tensor, kept: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x = as_map(values).float()
    return (
        x.amax((2, 3)).cpu(),
        x.mean((2, 3)).cpu(),
        x.amin((0, 2, 3)).cpu(),
        x[:, list(kept)].half().cpu(),
    )


def _joined(
    parts: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], kept: Sequence[int]
) -> NodeAnswers:
    maxima, means, lows, maps = zip(*parts, strict=True)
    return NodeAnswers(
        torch.cat(maxima).numpy(),
        torch.cat(means).mean(0).numpy(),
        torch.stack(lows).amin(0).numpy(),
        tuple(kept),
        torch.cat(maps),
    )


def as_map(values: Tensor) -> Tensor:
    """[batch, unit, y, x] also of flat nodes, whose map is one position."""
    return values if values.ndim == 4 else values[:, :, None, None]
