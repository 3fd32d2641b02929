"""Pictures by optimization: `optimize` makes them, `evaluate` measures any."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from micrograph.models.model import Model
from micrograph.optimize.adam import Adam
from micrograph.optimize.ascent import activations
from micrograph.optimize.loop import as_uint8, climb, finished
from micrograph.optimize.objectives import Objective
from micrograph.optimize.parameterize import FourierImage, Parameterization
from micrograph.optimize.settings import Settings
from micrograph.steps import StepHook


@dataclass(frozen=True)
class Pictures:
    """What `optimize` made; all tensors are float32 and on the CPU.

    images: RGB [batch, 3, y, x] in 0..1, exact in 8 bits.
    scores: [batch], the objective on the finished pictures, untransformed, without bf16.
    history: [step, batch], the objective on the transformed pictures on the way.
    layers: [batch, layer, y, x], what a layered parameterization carries beside the colours; no
        layers else.

    >>> from micrograph import load, optimize as opt
    >>> settings = opt.Settings(size=48, steps=6)
    >>> made = opt.optimize(load("toytown"), opt.channel("mixed4a", 3), settings)
    >>> tuple(made.images.shape), tuple(made.scores.shape), tuple(made.history.shape)
    ((1, 3, 48, 48), (1,), (6, 1))
    >>> made.as_uint8().shape, made.as_uint8().dtype
    ((1, 48, 48, 3), dtype('uint8'))
    """

    images: Tensor
    scores: Tensor
    history: Tensor
    layers: Tensor

    def as_uint8(self) -> np.ndarray:
        """The pictures as uint8 [batch, y, x, 3], RGB."""
        return as_uint8(self.images)


def optimize(
    model: Model,
    target: Objective,
    settings: Settings | None = None,
    *,
    seeds: Sequence[Sequence[int]] = ((0,),),
    parameterization: Parameterization | None = None,
    on_step: StepHook | None = None,
) -> Pictures:
    """Climb `target` from random starts, one picture for each entry of `seeds`.

    model: the network, on the device where it is to run.
    target: what the pictures are to maximise. One that is made for several units is for as many
        pictures.
    settings: size, steps and so on; without them pictures have the model's own input size.
    seeds: `seeds[b]` is a short sequence of whole numbers that keys all randomness of picture b.
        The same seed gives the same picture, whatever else is in the batch, up to the rounding of
        the backend's kernels.
    parameterization: what is moved by the optimizer instead of the spectrum of the picture; its
        size counts, not that of the settings.
    on_step: called with (step, steps) after each update; may raise to stop. A `Watch` sees the
        pictures as they stand.

    Returns `Pictures`. The network is left as it was, with no hook and no gradient in it. Raises
    BadInput where the objective and the seeds are for different numbers of pictures or a unit is
    out of range, NotFound for a node that the model does not have.

    >>> from micrograph import load, optimize as opt
    >>> model = load("toytown")
    >>> units = [3, 5]
    >>> made = opt.optimize(
    ...     model,
    ...     opt.channel("mixed4a", units),
    ...     opt.Settings(size=48, steps=8),
    ...     seeds=[(0, unit) for unit in units],
    ... )
    >>> made.as_uint8().shape
    (2, 48, 48, 3)
    >>> bool((made.history[-1] > made.history[0]).all())
    True
    """
    settings = settings or Settings(size=model.preprocessing.size)
    param = parameterization or FourierImage(settings.size, sd=settings.start)
    images, history = climb(
        model,
        target,
        param,
        seeds=seeds,
        steps=settings.steps,
        optimizer=partial(Adam, lr=settings.rate, momentum=settings.momentum),
        views=settings.transforms,
        settle=settings.settle,
        redirect_steps=settings.redirect_steps,
        precision=settings.precision,
        on_step=on_step,
    )
    with torch.no_grad():
        exact = finished(param, images)
        seen = torch.cat([exact, images[:, 3:]], 1)
        scores = target.value(activations(model, target, exact), seen)
    return Pictures(exact.cpu(), scores.cpu(), history, images[:, 3:].cpu())


@torch.no_grad()
def evaluate(model: Model, target: Objective, images: Tensor) -> Tensor:
    """The objective on pictures as they are, RGB [batch, 3, y, x] in 0..1: float32 [batch].

    Raises BadInput where a unit is out of range, NotFound for a node that the model does not have.

    >>> import torch
    >>> from micrograph import load, optimize as opt
    >>> grey = torch.full((2, 3, 96, 96), 0.5)
    >>> tuple(opt.evaluate(load("toytown"), opt.channel("mixed4a", 3), grey).shape)
    (2,)
    """
    images = images.to(model.device)
    return target.value(activations(model, target, images), images).cpu()
