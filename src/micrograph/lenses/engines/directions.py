"""Feature visualization of directions: pictures that a node answers with given activation vectors.

The objective is lucid's `dot * max(0.1, cos)^p`: the product drives the answer up, the cosine keeps
it pointing where it should.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from micrograph.lenses.engines import common
from micrograph.lenses.engines.base import StepHook
from micrograph.models.model import Model
from micrograph.optimize import Objective, Pictures, Settings, memory, optimize
from micrograph.optimize.objectives import Activations


def toward(node: str, vectors: Tensor, power: float, *, everywhere: bool = False) -> Objective:
    """`dot * max(0.1, cos)^power` of the node's values with the unit vectors [picture, unit].

    At the centre of the map, or averaged over all positions if `everywhere`.
    """

    def value(activations: Activations, images: Tensor) -> Tensor:
        a = activations[node]
        a = a.flatten(2) if a.ndim > 2 else a[..., None]
        if not everywhere:
            rows, columns = activations[node].shape[2:] or (1, 1)
            at = rows // 2 * columns + columns // 2
            a = a[..., at : at + 1]
        dot = torch.einsum("bup,bu->bp", a, vectors.to(a))
        cos = dot / (1e-4 + a.norm(dim=1))
        driven: Tensor = dot * cos.clamp(min=0.1) ** power
        return driven.mean(1)

    return Objective((node,), value, len(vectors), label=f"toward({node})")


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
    unit = vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-12)
    size = memory.batch_size(model, node, settings.size)
    made: list[Pictures] = []

    def climb(numbers: Sequence[int]) -> Pictures:
        target = toward(node, unit[list(numbers)], power, everywhere=everywhere)
        hook = _told(on_step, numbers[0], len(numbers), len(unit))
        return optimize(model, target, settings, seeds=[seed] * len(numbers), on_step=hook)

    for start in range(0, len(unit), size):
        numbers = range(start, min(start + size, len(unit)))
        made += [pictures for _, pictures, _ in common.in_memory(numbers, climb)]
    return np.concatenate([p.as_uint8() for p in made]), torch.cat([p.scores for p in made])


def _told(hook: StepHook | None, made: int, here: int, total: int) -> StepHook | None:
    """`hook`, seeing the steps of one batch as a part of those of all."""
    if hook is None:
        return None

    def on_step(step: int, steps: int) -> None:
        hook(made * steps + here * step, total * steps)

    return on_step


def halves(vectors: np.ndarray) -> np.ndarray:
    """Signed [..., unit] as non-negative [..., 2 unit]: what is above zero, then what is below."""
    return np.concatenate([vectors.clip(min=0), (-vectors).clip(min=0)], -1)


def whole(vectors: np.ndarray) -> np.ndarray:
    """Back from `halves`."""
    above, below = np.split(vectors, 2, -1)
    result: np.ndarray = above - below
    return result
