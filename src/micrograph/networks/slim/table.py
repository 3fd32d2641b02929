"""An Inception network of TF-slim as a table in slim's own words. No torch.

A layer is a line such as `Conv2d_1a_3x3 32 /2 VALID`: slim's name, the units of a convolution,
and what differs from a stride of 1 with the size kept. The kernel (y x) is what the name says, or
stands as a word of its own where slim's name is wrong.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Branch = Sequence[str | tuple[str, ...]]
"""Layers one after the other; those in a tuple stand side by side and are concatenated."""

Network = Sequence[str | tuple[str, Sequence[Branch]]]
"""Layers, and blocks of branches side by side, one after the other."""


@dataclass(frozen=True)
class SlimLayer:
    """A convolution with batch norm and ReLU, or (`units` is 0) a pool. `kernel` is (y, x)."""

    name: str
    units: int
    kernel: tuple[int, int]
    stride: int
    valid: bool


def layer(line: str) -> SlimLayer:
    """Read a line of a table."""
    name, *words = line.split()
    units = next((int(w) for w in words if w.isdigit()), 0)
    y, x = next((w for w in words if re.fullmatch(r"\dx\d", w)), name.rpartition("_")[2]).split("x")
    stride = 2 if "/2" in words else 1
    return SlimLayer(name, units, (int(y), int(x)), stride, "VALID" in words)


def lines(network: Network) -> Iterator[tuple[str, str]]:
    """Every layer of the network: where it stands, such as `Mixed_5b.Branch_0.`, and its line."""
    for entry in network:
        if isinstance(entry, str):
            yield "", entry
            continue
        block, branches = entry
        for number, branch in enumerate(branches):
            for step in branch:
                for line in (step,) if isinstance(step, str) else step:
                    yield f"{block}.Branch_{number}.", line


def convolutions(network: Network) -> list[str]:
    """The paths of the convolutions, `Mixed_5b.Branch_0.Conv2d_0a_1x1`, in order."""
    return [where + layer(line).name for where, line in lines(network) if layer(line).units]
