"""Receptive fields of random networks against the gradient: what is stated covers what is seen, and
what is called exact is just that."""

import pytest
import torch
from nets import under_microscope
from random_nets import random_net
from torch import nn

from micrograph.models.model import Model
from micrograph.models.node import Node

SIZE = 24
QUICK = 60


@pytest.mark.parametrize("seeds", [range(start, start + 12) for start in range(0, QUICK, 12)])
def test_fields_are_what_the_gradient_says(seeds: range) -> None:
    statuses = set()
    for seed in seeds:
        statuses |= checked(seed, random_net(seed, SIZE, 4))
    assert {"exact", "whole input"} <= statuses


@pytest.mark.nightly
@pytest.mark.parametrize("seeds", [range(n, n + 100) for n in range(QUICK, QUICK + 2000, 100)])
def test_fields_of_many_networks(seeds: range) -> None:
    for seed in seeds:
        assert checked(seed, random_net(seed, SIZE, 3 + seed % 5))


def checked(seed: int, net: nn.Module) -> set[str]:
    """Check every map of a network; the statuses of their fields."""
    model = under_microscope(net, SIZE)
    assert not model.slips, f"seed {seed}: {model.slips}"
    draw = torch.Generator().manual_seed(seed)
    maps = [node for node in model.nodes.values() if node.shape]
    for node in maps:
        if node.receptive_field.status in ("exact", "at most"):
            rows, columns = node.shape
            some = torch.randint(rows * columns, (3,), generator=draw).tolist()
            for position in {0, rows // 2 * columns + columns // 2, rows * columns - 1, *some}:
                check(model, node, *divmod(position, columns), draw, f"seed {seed}: {net}")
    return {node.receptive_field.status for node in maps}


def check(model: Model, node: Node, y: int, x: int, draw: torch.Generator, what: str) -> None:
    """Check what is stated of one position."""
    field = node.receptive_field
    seen = torch.zeros(SIZE, SIZE, dtype=torch.float64)
    picks = any(word in what for word in ("MaxPool", "largest"))  # of several, the largest one
    for _ in range(12 if picks else 1):
        image = torch.rand(1, 3, SIZE, SIZE, dtype=torch.float64, generator=draw).requires_grad_()
        value = model.run(image, [node.id])[node.id][0, :, y, x]
        weights = torch.rand(len(value), dtype=torch.float64, generator=draw)
        (slope,) = torch.autograd.grad((value * weights).sum(), image, allow_unused=True)
        seen += 0 if slope is None else slope.abs().sum((0, 1))
    told = [field.start + p * field.stride for p in (y, x)]
    within = all(start >= 0 and start + field.size <= SIZE for start in told)
    places = seen.nonzero()
    if not len(places):
        assert field.status == "at most" or picks or not within, (
            f"{node.id} {field} at {y}, {x}: {what}"
        )
        return
    # From where the formula begins, along y and x: the square covers both.
    lows = [n - start for n, start in zip(places.amin(0).tolist(), told, strict=True)]
    highs = [n - start for n, start in zip(places.amax(0).tolist(), told, strict=True)]
    assert min(lows) >= 0, f"{node.id} {field} at {y}, {x}: {what}"
    assert max(highs) < field.size, f"{node.id} {field} at {y}, {x}: {what}"
    if field.status == "exact" and within and not picks:
        assert (min(lows), max(highs)) == (0, field.size - 1), (
            f"{node.id} {field} at {y}, {x}: {what}"
        )
