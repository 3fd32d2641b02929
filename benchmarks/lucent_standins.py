"""Lets torch-lucent 0.1.8 run beside a present torch.

It wants kornia <= 0.4.1 and torchvision names that no longer import there. What it really uses of
them is three small image warps and one normalization; these stand in, with the same meaning.
"""

import math
import sys
import types
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def translate(images: Tensor, shift: Tensor) -> Tensor:
    """Shift pictures by (x, y) pixels; black outside."""
    matrix = torch.eye(2, 3).repeat(len(images), 1, 1)
    matrix[:, :, 2] = shift.expand(len(images), 2)
    return warp_affine(images, matrix, images.shape[2:])


def get_rotation_matrix2d(center: Tensor, angle: Tensor, scale: Tensor) -> Tensor:
    """Matrices [batch, 2, 3] that turn by `angle` degrees about `center` (x, y)."""
    rad = angle * math.pi / 180
    cos, sin = torch.cos(rad) * scale[:, 0], torch.sin(rad) * scale[:, 1]
    linear = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)
    shift = center - torch.einsum("bij,bj->bi", linear, center)
    return torch.cat([linear, shift[..., None]], -1)


def warp_affine(images: Tensor, matrix: Tensor, dsize: tuple[int, int]) -> Tensor:
    """Pictures under maps from input to output pixels; bilinear, black outside."""
    h, w = images.shape[2:]
    half = torch.tensor([(w - 1) / 2, (h - 1) / 2])
    inverse = torch.linalg.inv(matrix[:, :, :2])
    # Into grid_sample's coordinates, -1..1 from the first to the last pixel's centre.
    linear = inverse * (half[None, None, :] / half[None, :, None])
    shift = torch.einsum("bij,bj->bi", inverse, half - matrix[:, :, 2]) / half - 1
    theta = torch.cat([linear, shift[..., None]], -1)
    grid = F.affine_grid(theta, [len(images), 3, *dsize], align_corners=True)
    return F.grid_sample(images, grid, align_corners=True)


class Normalize(nn.Module):
    """(x - mean) / std per channel."""

    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.mean, self.std = torch.tensor(mean), torch.tensor(std)

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean[:, None, None]) / self.std[:, None, None]


def install(path: Path | None = None) -> None:
    """Put the stand-ins in place and, if given, the folder lucent was installed into."""
    if path is not None:
        sys.path.insert(0, str(path))
    modules = {
        "kornia": {
            "__version__": "0.4.1",
            "get_rotation_matrix2d": get_rotation_matrix2d,
            "warp_affine": warp_affine,
        },
        "kornia.geometry": {},
        "kornia.geometry.transform": {"translate": translate},
        "torchvision": {},
        "torchvision.models": {},
        "torchvision.transforms": {"Normalize": Normalize},
    }
    for name, content in modules.items():
        module = types.ModuleType(name)
        module.__dict__.update(content)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
