"""One step up: an objective on pictures, and its gradient towards them."""

import contextlib
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries.dictionary import straight_through
from micrograph.models.model import Model
from micrograph.networks.response_norm import gradient_by_hand
from micrograph.optimize.frozen_weights import FrozenWeights
from micrograph.optimize.objectives import Objective
from micrograph.optimize.redirect import LiftedReLU, RedirectedReLU
from micrograph.optimize.stem import FastStem


class Ascent:
    """The steps of one run. It keeps copies of weights, and nothing of pictures."""

    def __init__(self, model: Model, target: Objective, precision: str) -> None:
        self.model, self.target, self.precision = model, target, precision
        self._weights = FrozenWeights()
        places = [] if target.pre_relu else [model.node(node) for node in target.drives]
        self._last_relus = {call for place in places for call in place.relus}

    def __call__(
        self, seen: Tensor, shown: Tensor, *, redirected: bool
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """The objective [batch], and the gradients of its negative, which optimizers follow down:
        towards `seen`, which it reads itself, and towards `shown`, which the network gets; None
        where it reads nothing of them.

        With `redirected`, units are driven up also where they are off, and pictures to which no
        gradient comes back through the network get that of redirected ReLUs. Raises BadInput
        where no picture could ever change the objective.
        """
        lifted = LiftedReLU(self._last_relus) if redirected else contextlib.nullcontext()
        values, own, through = self._gradients(seen, shown, lifted)
        if redirected and through is not None:
            blocked = ~through.flatten(1).any(1)
            if blocked.any():
                _, _, other = self._gradients(seen, shown, RedirectedReLU())
                if other is not None:
                    through = torch.where(blocked.view(-1, 1, 1, 1), other, through)
        return values, own, through

    def _gradients(
        self, seen: Tensor, shown: Tensor, relus: AbstractContextManager[Any]
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        own, given = seen.detach().requires_grad_(), shown.detach().requires_grad_()
        with self._weights, FastStem(), gradient_by_hand(), straight_through(), relus:
            raw = activations(self.model, self.target, given, self.precision)
            values = self.target.value(raw, own)
            self._check_gradient(values)
            (-values.sum()).backward()  # type: ignore[no-untyped-call]
        return values.detach(), own.grad, given.grad

    def _check_gradient(self, values: Tensor) -> None:
        if not values.requires_grad:
            raise BadInput(
                f"no gradient leads from {', '.join(self.target.nodes)} of {self.model.id} to the "
                "picture, which cannot be optimized for it: its values do not depend on pictures, "
                "or are computed without gradients; take another node"
            )


def activations(
    model: Model, target: Objective, images: Tensor, precision: str = "fp32"
) -> dict[str, Tensor]:
    """What `target` reads: its nodes' values on `images` on the model's device, in float32.

    `images` are RGB [batch, 3, y, x] in 0..1; the values are [batch, unit, y, x] or [batch, unit],
    by the nodes' names as the objective spells them. With `precision` "bf16" the network computes
    under autocast.

    >>> import torch
    >>> from micrograph import load, optimize as opt
    >>> grey = torch.full((2, 3, 96, 96), 0.5)
    >>> values = opt.activations(load("toytown"), opt.channel("mixed4a", 3), grey)
    >>> {node: tuple(value.shape) for node, value in values.items()}
    {'mixed4a': (2, 152, 12, 12)}
    """
    if not target.nodes:
        return {}
    # channels_last is what the convolution kernels want; it changes no value.
    shown = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        raw = model.run(shown, target.nodes, pre_relu=target.pre_relu)
    return {node: a.float() for node, a in raw.items()}
