"""Machine observers of forced_choice.py."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from micrograph.datasets import batches, open_dataset
from micrograph.models.model import Model

SCENES = 2000
BATCH = 20
FEWEST = 20
"""Pictures of each half on which a unit must be above 0 to be asked about."""


def natural(model: Model, pictures: Path | None) -> Iterator[torch.Tensor]:
    """All natural pictures in order, a batch at a time, RGB [picture, 3, y, x] in 0..1."""
    dataset = open_dataset(str(pictures) if pictures else f"toytown:{SCENES}")
    count = -(-len(dataset) // BATCH)
    for batch in batches(dataset, model.preprocessing, BATCH, range(count)):
        yield batch.images()[: int(batch.valid.sum())]


def in_references(count: int, drawn: bool) -> np.ndarray:
    """Which of the natural pictures are references: the first half of scenes, every second
    photograph, whose order is by class."""
    numbers = np.arange(count)
    chosen: np.ndarray = numbers < count // 2 if drawn else numbers % 2 == 0
    return chosen


def answers(
    model: Model, nodes: Sequence[str], pictures: Path | None, work: Path
) -> dict[str, np.ndarray]:
    """Of each node the largest activation of every unit on every natural picture, [picture,
    unit]."""
    kept = work / f"answers-{model.id}.npz"
    if not kept.exists():
        found: dict[str, list[np.ndarray]] = {node: [] for node in nodes}
        for images in natural(model, pictures):
            with torch.no_grad():
                for node, values in model.run(images, list(nodes)).items():
                    found[node].append(values.float().amax((2, 3)).numpy())
        np.savez(kept, **{node: np.concatenate(v) for node, v in found.items()})
    with np.load(kept) as file:
        return dict(file)


def alive(values: np.ndarray) -> np.ndarray:
    """The units that answer to enough pictures; values [picture, unit]."""
    chosen: np.ndarray = np.flatnonzero((values > 0).sum(0) >= 2 * FEWEST)
    return chosen
