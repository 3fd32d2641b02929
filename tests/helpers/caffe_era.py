"""What the re-statements of the Caffe-era networks share: random tensors, and the comparison."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from micrograph.models import cards
from micrograph.models.model import Model
from micrograph.weights.building import build
from micrograph.weights.conversion import Given


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def converted(name: str, form: str, sign: str, tensors: dict[str, Tensor]) -> Model:
    """The model with tensors that its conversion made of those of an original file."""
    card = cards()[name]
    (conversion,) = (c for c in card.conversions if (c.form, c.sign) == (form, sign))
    given = Given(tensors, Path("original"))
    module = build(card)
    module.load_state_dict(conversion.convert(given))
    assert given.left == []
    return Model(card, module, "")


def assert_same_nodes(model: Model, images: Tensor, expected: dict[str, Tensor]) -> None:
    """Equal to 1e-4 of the largest value, at every node of the model."""
    assert set(expected) == set(model.nodes)
    found = model.run(images, list(model.nodes), preprocess=False)
    for node, values in expected.items():
        assert found[node].shape == values.shape, node
        largest = values.abs().max()
        assert largest > 1e-6, node
        assert (found[node] - values).abs().max() <= 1e-4 * largest, node


def windowed(x: Tensor, size: int, beta: float, of_sum: Callable[[Tensor], Tensor]) -> Tensor:
    """`x / of_sum(sum of squares of the units around) ** beta`, unit by unit."""
    parts = []
    for unit in range(x.shape[1]):
        near = x[:, max(unit - size // 2, 0) : unit + size // 2 + 1]
        parts.append(x[:, unit] / of_sum(near.square().sum(1)) ** beta)
    return torch.stack(parts, 1)
