"""A small network that has every kind of node, and sweeps of it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from micrograph.cards.preprocessing import Preprocessing
from micrograph.datasets import Dataset, open_dataset
from micrograph.models.model import Model
from micrograph.sweep import Look, Tally, collect, specify

SIZE = 12


class Both(nn.Module):
    """Two ReLUs side by side, the second branch first."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(5, 3, 1), nn.Conv2d(5, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        b = F.relu(self.b(x))
        return torch.cat([b, F.relu(self.a(x))], 1)


class Small(nn.Module):
    """ReLU in place, ReLUs side by side, pooled, without any, flat."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(inplace=True))
        self.both = Both()
        self.pool = nn.MaxPool2d(2)
        self.plain = nn.Conv2d(7, 6, 3)
        self.last = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.both(self.stem(x)))
        return self.last(self.plain(x).mean((2, 3)))


def small_model() -> Model:
    torch.manual_seed(0)
    pre = Preprocessing(size=SIZE, resize=SIZE, mean=(0.5,) * 3)
    return Model.of(Small(), id="small", preprocessing=pre)


def pictures(root: Path, count: int, classes: int = 3, equal: int = 0) -> Path:
    """`count` pictures in class folders; the last `equal` of them are copies of the first."""
    rng = np.random.default_rng(count)
    first = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    for number in range(count):
        pixels = rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
        if number == 0 or number >= count - equal:
            pixels = first
        folder = root / f"class{number * classes // count}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number:04d}.png")
    return root


def swept(
    model: Model,
    folder: Path,
    nodes: list[str] | None = None,
    indices: Sequence[int] | None = None,
    k: int = 5,
) -> tuple[Dataset, Tally]:
    """The dataset and a tally of it, over all batches unless `indices` says which."""
    dataset = open_dataset(str(folder))
    look = Look(model, [model.node(n) for n in nodes or model.nodes])
    spec = specify(model, dataset, look, largest=k, smallest=3, code="test")
    tally = Tally(spec)
    collect(model, dataset, look, tally, range(spec.batches) if indices is None else indices)
    return dataset, tally
