"""What a toytown network can do: accuracy (clean and attacked), part maps, dead units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from micrograph.organisms.toytown.network import MEAN, STD, ConvRelu, ToyTown
from micrograph.organisms.toytown.parts import PARTS
from micrograph.organisms.toytown.scenes import PictureBatch


def pixels(images: np.ndarray) -> Tensor:
    """uint8 [picture, y, x, rgb] to float [picture, rgb, y, x] in 0..1, channels last."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)


def channels_last(network: ToyTown) -> ToyTown:
    """The same network with the weights laid out as CPU convolutions like them."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def normalized(rgb: Tensor) -> Tensor:
    """RGB in 0..1 to what the network takes."""
    mean = torch.tensor(MEAN).view(1, 3, 1, 1)
    std = torch.tensor(STD).view(1, 3, 1, 1)
    return (rgb - mean) / std


def _pieces(data: PictureBatch, size: int = 100) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(data.labels), size):
        yield (
            pixels(data.images[start : start + size]),
            torch.from_numpy(data.labels[start : start + size]),
        )


@torch.no_grad()
def predictions(network: nn.Module, data: PictureBatch) -> Tensor:
    """The class with the highest score, [picture]."""
    return torch.cat([network(normalized(rgb)).argmax(1) for rgb, _ in _pieces(data)])


def accuracy(network: nn.Module, data: PictureBatch) -> float:
    """Share of pictures classified right."""
    return float((predictions(network, data) == torch.from_numpy(data.labels)).float().mean())


def attacked_accuracy(
    network: nn.Module, data: PictureBatch, radius: float, steps: int = 5
) -> float:
    """Accuracy under projected gradient ascent in an L2 ball (radius in RGB units of 0..1)."""
    right = 0
    for rgb, labels in _pieces(data):
        delta = torch.zeros_like(rgb)
        for _ in range(steps):
            delta.requires_grad_(True)
            loss = F.cross_entropy(network(normalized((rgb + delta).clamp(0, 1))), labels)
            (slope,) = torch.autograd.grad(loss, delta)
            delta = within(delta.detach() + 0.5 * radius * unit_length(slope), radius)
        with torch.no_grad():
            right += int((network(normalized((rgb + delta).clamp(0, 1))).argmax(1) == labels).sum())
    return right / len(data.labels)


def _length(x: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(x, dim=(1, 2, 3), keepdim=True)
    return length.clamp_min(1e-12)


def unit_length(x: Tensor) -> Tensor:
    """Each sample divided by its L2 norm."""
    return x.div(_length(x))


def within(x: Tensor, radius: float) -> Tensor:
    """Each sample shortened to at most `radius`."""
    return x * (radius / _length(x)).clamp_max(1)


@torch.no_grad()
def liveliness(network: ToyTown, data: PictureBatch) -> dict[str, Tensor]:
    """For every convolution's units the share of positions that are active, [unit]."""
    totals: dict[str, Tensor] = {}
    handles = []
    for name, module in network.named_modules():
        if isinstance(module, ConvRelu):

            def note(_m: nn.Module, _i: object, out: Tensor, name: str = name) -> None:
                share = (out > 0).float().mean(dim=(2, 3)).sum(0)
                totals[name] = totals.get(name, torch.zeros_like(share)) + share

            handles.append(module.register_forward_hook(note))
    try:
        predictions(network, data)
    finally:
        for handle in handles:
            handle.remove()
    return {name: total / len(data.labels) for name, total in totals.items()}


@torch.no_grad()
def part_precision(maps: Tensor, shares: np.ndarray) -> dict[str, float]:
    """Average precision of each part's map [picture, part, y, x] for cells it fills by a third."""
    result: dict[str, float] = {}
    for i, part in enumerate(PARTS):
        truth = torch.from_numpy(shares[:, i].reshape(-1) > 85)
        if not bool(truth.any()):
            continue
        ranked = truth[maps[:, i].reshape(-1).argsort(descending=True)].double()
        hits = ranked.cumsum(0)
        places = torch.arange(1, len(ranked) + 1, dtype=torch.double)
        result[part] = float((hits / places * ranked).sum() / ranked.sum())
    return result
