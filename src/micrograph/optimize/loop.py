"""The loop: pictures climb their objectives, a batch at a time.

Each sample has start values, transformations and a target of its own, drawn from generators keyed
by its own seed; losses add over the batch and Adam works element by element. So a picture does not
depend on what else was in its batch, up to the rounding of the backend's kernels.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.dictionaries.dictionary import straight_through
from micrograph.models.model import Model
from micrograph.optimize.objectives import Objective
from micrograph.optimize.parameterize import FourierImage, Layered, Parameterization
from micrograph.optimize.redirect import RedirectedReLU
from micrograph.optimize.stem import FastStem
from micrograph.optimize.transforms import STANDARD, Affine, draw_all, resample
from micrograph.steps import StepHook

MAX_SIZE = 4096
MAX_STEPS = 100_000


@dataclass(frozen=True)
class Settings:
    """How to optimize.

    `size` in pixels; a parameterization that is given has its own. `rate` and `momentum` (beta 1)
    are Adam's: little momentum, because its usual 0.9 carries the picture on where the gradient has
    long turned, and takes almost half as many steps again to the same activation
    (docs/benchmarks.md). In the first `redirect_steps` updates ReLUs are redirected. `precision` is
    "bf16" (autocast) or "fp32" and holds for the network only: parameters, objective and score are
    always fp32.
    """

    size: int = 224
    steps: int = 80
    rate: float = 0.1
    momentum: float = 0.5
    transforms: Affine = field(default=STANDARD)
    redirect_steps: int = 16
    precision: str = "bf16"

    def __post_init__(self) -> None:
        _in_range("size", self.size, 16, MAX_SIZE, "pixels")
        _in_range("steps", self.steps, 1, MAX_STEPS, "steps")
        if not 0 < self.rate <= 10:
            raise BadInput(f"learning rate {self.rate} is not usable; expected above 0, at most 10")
        if not 0 <= self.momentum < 1:
            raise BadInput(f"momentum {self.momentum} is not usable; expected 0 to below 1")
        if self.precision not in ("bf16", "fp32"):
            raise BadInput(f"precision {self.precision!r} is unknown; expected 'bf16' or 'fp32'")

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a recipe."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Settings":
        """Read back what `as_dict` wrote; other keys are passed over."""
        known = {f.name: data[f.name] for f in fields(cls)}
        known["transforms"] = Affine.from_dict(known["transforms"])
        return cls(**known)


@dataclass(frozen=True)
class Pictures:
    """`images` float32 [batch, 3, y, x] in 0..1, exact in 8 bits; `scores` [batch], the objective
    on the finished pictures, untransformed, in fp32; `history` [step, batch], the objective on the
    transformed pictures on the way. `layers` [batch, layer, y, x] is what a layered
    parameterization carries beside the colours, else empty."""

    images: Tensor
    scores: Tensor
    history: Tensor
    layers: Tensor

    def as_uint8(self) -> np.ndarray:
        """[batch, y, x, 3], RGB."""
        array: np.ndarray = (self.images * 255).round().byte().permute(0, 2, 3, 1).numpy()
        return array


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

    `seeds[b]` is a short sequence of whole numbers that keys all randomness of picture b.
    Without `settings` pictures have the model's own input size. `on_step(step, steps)` is called
    after each update and may raise to stop. The network is left as it was, with no hook and no
    gradient in it.
    """
    settings = settings or Settings(size=model.preprocessing.size)
    param = parameterization or FourierImage(settings.size)
    if target.samples not in (None, len(seeds)):
        raise BadInput(
            f"{target.label} is for {target.samples} pictures, but {len(seeds)} seeds were given; "
            "give one seed per picture"
        )
    device = model.device
    starts, moves = _generators(seeds)
    params = param.start(starts).to(device).requires_grad_(True)
    maps = draw_all(settings.transforms, moves, settings.steps, param.size).to(device)
    adam = torch.optim.Adam(
        [params], lr=settings.rate, betas=(settings.momentum, 0.999), fused=True
    )
    history = torch.empty(settings.steps, len(seeds))
    for step in range(settings.steps):
        images = param.image(params)
        seen = resample(images, maps[step]) if settings.transforms.moves else images
        shown = param.shown(seen, moves) if isinstance(param, Layered) else seen
        redirected = step < settings.redirect_steps
        redirect = RedirectedReLU() if redirected else contextlib.nullcontext()
        with FastStem(), straight_through(), redirect:
            raw = activations(model, target, shown, settings.precision)
            values = target.value(raw, seen)
            adam.zero_grad(set_to_none=True)
            (-values.sum()).backward()  # type: ignore[no-untyped-call]
        adam.step()
        history[step] = values.detach().cpu()
        if on_step:
            on_step(step + 1, settings.steps)
    with torch.no_grad():
        images = param.image(params)
        shown = param.shown(images, None) if isinstance(param, Layered) else images
        exact = (shown * 255).round() / 255
        seen = torch.cat([exact, images[:, 3:]], 1)
        scores = target.value(activations(model, target, exact), seen)
    return Pictures(exact.cpu(), scores.cpu(), history, images[:, 3:].cpu())


@torch.no_grad()
def evaluate(model: Model, target: Objective, images: Tensor) -> Tensor:
    """The objective on pictures as they are, RGB [batch, 3, y, x] in 0..1; fp32 [batch]."""
    images = images.to(model.device)
    return target.value(activations(model, target, images), images).cpu()


def activations(
    model: Model, target: Objective, images: Tensor, precision: str = "fp32"
) -> dict[str, Tensor]:
    """What `target` reads: its nodes' values on `images` on the model's device, in float32."""
    if not target.nodes:
        return {}
    # channels_last is what the convolution kernels want; it changes no value.
    shown = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        raw = model.run(shown, target.nodes, pre_relu=target.pre_relu)
    return {node: a.float() for node, a in raw.items()}


def _generators(
    seeds: Sequence[Sequence[int]],
) -> tuple[list[np.random.Generator], list[np.random.Generator]]:
    """Per picture one generator for its start and one for its transformations, so that the start
    does not depend on the number of steps."""
    pairs = [np.random.SeedSequence(list(seed)).spawn(2) for seed in seeds]
    return (
        [np.random.default_rng(start) for start, _ in pairs],
        [np.random.default_rng(move) for _, move in pairs],
    )


def _in_range(name: str, value: int, low: int, high: int, unit: str) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"{name} {value!r} is out of range; expected {low} to {high} {unit}")
