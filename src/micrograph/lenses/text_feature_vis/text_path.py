"""From a unit to a direction in the space of texts: the linear path to the model's output.

The direction of a unit is the derivative of the picture's vector (the model's output, before
normalization) by the unit's activation at all positions alike, with attention patterns held fixed,
averaged over pictures. A picture counts as much as it excites the unit. Where the path after the
node is linear, as between the last block and the output of an attention pooling, this is the
product of value and output projection, whatever the pictures; before that it is an approximation
around those pictures, as the ReLUs on the way are on or off.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from micrograph.models.model import Model
from micrograph.models.running.attention import FixedPattern

CHUNK = 16
"""Pictures whose graph is kept at a time."""


def directions(model: Model, node: str, images: Tensor) -> Tensor:
    """A direction for each unit of `node`, float32 [unit, dimension] on the CPU, any length.

    `images` are RGB [picture, 3, y, x] in 0..1.
    """
    total, weights = torch.zeros(()), torch.zeros(())
    for slopes, excited in _slopes(model, node, images):
        total = total + torch.einsum("dpu,pu->ud", slopes, excited)
        weights = weights + excited.sum(0)
    return (total / weights[:, None]).cpu()


def _slopes(model: Model, node: str, images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Chunks of ([dimension, picture, unit] slopes, [picture, unit] mean activations)."""
    last = list(model.nodes)[-1]
    chunk = 1 if model.passes.alone else CHUNK  # slopes are those of values that were one pass
    for start in range(0, len(images), chunk):
        seen = images[start : start + chunk].to(model.device).requires_grad_(True)
        with torch.enable_grad(), FixedPattern():
            found = model.run(seen, [node, last])
            activations, vectors = found[node], found[last]
            # Summed at once: slopes at every position for each dimension would take gigabytes.
            slopes = torch.stack(
                [
                    _sum_positions(
                        torch.autograd.grad(component.sum(), activations, retain_graph=True)[0]
                    )
                    for component in vectors.unbind(1)
                ]
            )
        means = _sum_positions(activations.detach()) / activations[0, 0].numel()
        # The small addition gives a direction to units that no picture excites, too.
        yield slopes, means.clamp_min(0) + 1e-6


def _sum_positions(values: Tensor) -> Tensor:
    """[picture, unit, ...] summed over positions."""
    return values.reshape(*values.shape[:2], -1).sum(2)
