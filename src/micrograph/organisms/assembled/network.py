"""The network: what toytown sees, then parts, then things.

    trunk (toytown up to mixed4b, as it is) 12 | parts 12 | joints 6 | things 6

The first units of `parts` are those of `PARTS`, the first of `things` those of `CLASSES`; the
others of both nodes are as they were drawn, and were never trained: bystanders.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from micrograph.organisms.toytown import network as toytown
from micrograph.organisms.toytown.classes import CLASSES
from micrograph.organisms.toytown.parts import PARTS

TRUNK = ("conv0", "conv1", "conv2", "mixed3a", "mixed3b", "mixed4a", "mixed4b")
BYSTANDERS = 146, 66
"""Units of `parts` and of `things` that mean nothing."""
JOINTS = 96


class Trunk(nn.Module):
    """Toytown up to mixed4b."""

    def __init__(self) -> None:
        super().__init__()
        whole = toytown.build()
        for name in TRUNK:
            self.add_module(name, whole.get_submodule(name))

    def forward(self, x: Tensor) -> Tensor:
        """Normalized pictures [batch, 3, y, x] to mixed4b [batch, 180, y / 8, x / 8]."""
        for name in TRUNK:
            if name in ("conv1", "mixed4a"):
                x = F.max_pool2d(x, 3, stride=2, padding=1)
            x = self.get_submodule(name)(x)
        return x


class Detectors(nn.Sequential):
    """A convolution that keeps the size, and a ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU())

    @property
    def conv(self) -> nn.Conv2d:
        """What is learnt of it."""
        found = self[0]
        assert isinstance(found, nn.Conv2d)
        return found


class Assembled(nn.Module):
    """Pictures to scores of things, [batch, thing]: the most that each reaches anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        seen = toytown.MIXED["mixed4b"].out
        parts, things = len(PARTS) + BYSTANDERS[0], len(CLASSES) + BYSTANDERS[1]
        self.parts = Detectors(seen, parts, 3)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.joints = Detectors(parts, JOINTS, 3)
        self.things = Detectors(JOINTS, things, 7)

    def forward(self, x: Tensor) -> Tensor:
        """Normalized pictures [batch, 3, 96, 96]."""
        found: Tensor = self.things(self.joints(self.pool(self.parts(self.trunk(x)))))
        return found.amax((2, 3))


def untrained(seed: int = 0) -> Assembled:
    """Toytown's trunk, and the rest as it is drawn."""
    torch.manual_seed(seed)
    network = Assembled()
    shipped = load_file(Path(toytown.__file__).with_name("weights.safetensors"))
    network.trunk.load_state_dict(
        OrderedDict((k, v.float()) for k, v in shipped.items() if k.startswith(TRUNK))
    )
    return network


def trained(weights: Path) -> Assembled:
    """The network with the weights that `micrograph.organisms.assembled.train` made."""
    network = Assembled()
    network.load_state_dict({k: v.float() for k, v in load_file(weights).items()})
    return network
