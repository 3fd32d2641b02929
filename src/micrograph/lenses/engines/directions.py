"""Feature visualization of directions: pictures that a node answers with given vectors."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from micrograph.lenses.engines import common
from micrograph.models.model import Model
from micrograph.optimize import Pictures, Settings, direction, memory, optimize
from micrograph.steps import StepHook, part_of


def render(
    model: Model,
    node: str,
    vectors: Tensor,
    settings: Settings,
    seed: Sequence[int],
    *,
    power: float,
    everywhere: bool = False,
    on_step: StepHook | None = None,
) -> tuple[np.ndarray, Tensor]:
    """A picture for each of `vectors` [picture, unit]: uint8 [picture, y, x, 3], and its score.

    All start from the same noise and are moved in the same way, so that like vectors give like
    pictures. In batches as memory allows; `on_step` sees the steps of all of them. Vectors need no
    length; zero vectors give the picture that nothing drives.
    """
    size = memory.batch_size(model, node, settings.size)
    made: list[Pictures] = []

    def climb(numbers: Sequence[int], hook: StepHook | None) -> Pictures:
        # A view: lengths are then summed as those of all vectors are, to the last bit.
        part = vectors[numbers[0] : numbers[-1] + 1]
        target = direction(
            node,
            part,
            cosine_power=power,
            everywhere=everywhere,
            normalize=True,
        )
        return optimize(model, target, settings, seeds=[seed] * len(numbers), on_step=hook)

    for start in range(0, len(vectors), size):
        numbers = range(start, min(start + size, len(vectors)))
        hook = part_of(on_step, start, len(numbers), len(vectors))
        made += [pictures for _, pictures, _ in common.in_memory(numbers, climb, hook)]
    return np.concatenate([p.as_uint8() for p in made]), torch.cat([p.scores for p in made])


def halves(vectors: np.ndarray) -> np.ndarray:
    """Signed [..., unit] as non-negative [..., 2 unit]: positive parts, then negative parts."""
    return np.concatenate([vectors.clip(min=0), (-vectors).clip(min=0)], -1)


def whole(vectors: np.ndarray) -> np.ndarray:
    """Back from `halves`."""
    above, below = np.split(vectors, 2, -1)
    result: np.ndarray = above - below
    return result
