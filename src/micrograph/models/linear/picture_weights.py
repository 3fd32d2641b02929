"""The weights by which units read the picture itself: those of a first layer."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from micrograph.errors import Unavailable
from micrograph.models.linear.kernels import SourceBox, near, probed, support, values_at
from micrograph.models.linear.route import LinearPass, Passed, Route, gradients
from micrograph.models.model import Model
from micrograph.models.node import CallSite

WIDEST = 64
"""Pixels along a side of the weights of a unit: more is no layer that reads a few pixels."""
TOGETHER = 64
"""Units whose gradients are taken at once."""


@dataclass(frozen=True, eq=False)
class PictureWeights:
    """`kernels` [unit, channel, y, x]: by how much a unit, before its activation, changes with each
    channel of the picture beside its position, in the network's own range of input. `channels` says
    which: "RGB" in this order whatever order the network reads, or "L" for grey."""

    node: str
    channels: str
    kernels: Tensor


def picture_weights(model: Model, name: str) -> PictureWeights:
    """Of a node that reads the picture by linear steps alone: a first convolution, the embedding of
    patches, a matrix over all pixels.

    Raises Unavailable, with the reason, for any other, and for weights wider than `WIDEST`.
    """
    node = model.node(name)
    if model.attached(node.id) is not None:
        raise Unavailable(f"{node.id} is made by a dictionary, and reads no picture itself")
    size = model.preprocessing.size
    pixels = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    route = Route(model, node, node, model.preprocessing.apply(pixels.to(model.device)))
    structure, passed = _PassFromPicture(route, True).run(), _PassFromPicture(route, False).run()
    if passed.target is None or not passed.target.requires_grad or passed.approximations:
        raise Unavailable(f"more than one layer lies between the picture and {node.id}")
    shape = passed.target.shape[1:]
    at = (shape[0] // 2, shape[1] // 2) if len(shape) == 2 else (0, 0)
    box = support(structure, at)
    if box is None:
        raise Unavailable(f"{node.id} sees nothing of the picture")
    if max(box.size) > WIDEST:
        raise Unavailable(
            f"each unit of {node.id} reads {box.size[0]} x {box.size[1]} pixels; shown are at most "
            f"{WIDEST} x {WIDEST}"
        )
    if len(shape) == 2 and not _are_the_same_elsewhere(structure, passed, at, box):
        raise Unavailable(f"each position of {node.id} reads the picture with weights of its own")
    values = values_at(passed, at)
    parts = []
    for first in range(0, len(values), TOGETHER):
        some = values[first : first + TOGETHER]
        parts.append(box.of(gradients(some, passed.source, torch.eye(len(some)).to(some))).cpu())
    kernels, order = torch.cat(parts), model.preprocessing.channel_order
    if order == "L":
        return PictureWeights(node.id, "L", kernels)
    return PictureWeights(node.id, "RGB", kernels[:, [order.index(one) for one in "RGB"]])


def _are_the_same_elsewhere(
    structure: Passed, passed: Passed, at: tuple[int, int], box: SourceBox
) -> bool:
    """Whether a position beside the middle has the same weights, where there is one."""
    assert passed.target is not None
    rows, columns = passed.target.shape[1:]
    beside = (max(0, at[0] - 1), max(0, at[1] - 1))
    if beside == at or (rows, columns) == (1, 1):
        return True
    other = support(structure, beside)
    if other is None or other.size != box.size:
        return other is not None and not other.is_inside(tuple(passed.source.shape[1:]))
    return near(box.of(probed(passed, at)), other.of(probed(passed, beside)))


class _PassFromPicture(LinearPass):
    """A pass whose source is the picture; the source of the route is not looked at."""

    def __init__(self, route: Route, structure: bool) -> None:
        super().__init__(route, structure, None)

    def begin_picture(self) -> None:
        leaf = self.x.new_zeros(self.x.shape[1:]).requires_grad_(True)
        self.leaf = leaf
        with torch.enable_grad():
            self.following.begin(self.x, leaf[None].expand(self.x.shape))

    def stops(self) -> list[CallSite]:
        return [self.route.ends.place]

    def reached(self, place: CallSite, value: Tensor) -> Tensor | None:
        with _disable_current_modes(), torch._C.DisableTorchFunction(), torch.enable_grad():
            self.arrive(value)
        return None
