"""The loop: pictures climb their objectives, a batch at a time.

Each picture has start values, views and a target of its own, drawn from generators keyed by its own
seed; losses add over the batch and the optimizer works element by element. So a picture does not
depend on what else was in its batch, up to the rounding of the backend's kernels.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from micrograph import heap
from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.optimize.adam import Optimizer
from micrograph.optimize.ascent import Ascent, activations
from micrograph.optimize.beginning_again import AFTER, BeginningAgain
from micrograph.optimize.objectives import Objective
from micrograph.optimize.parameterize import Bolder, Layered, Parameterization
from micrograph.optimize.transforms import ViewSampler
from micrograph.steps import StepHook, StepState, tell


def climb(
    model: Model,
    target: Objective,
    param: Parameterization,
    *,
    seeds: Sequence[Sequence[int]],
    steps: int,
    optimizer: Callable[[list[Tensor]], Optimizer],
    views: ViewSampler,
    redirect_steps: int,
    precision: str,
    settle: float = 0.0,
    on_step: StepHook | None = None,
) -> tuple[Tensor, Tensor]:
    """Climb `target` from random starts, one picture for each entry of `seeds`.

    `optimizer` makes one for the parameters, whose rate falls to nothing over the last steps, a
    share `settle` of all; `views` say what the network, and the objective, see
    of the pictures at each step. Gives the pictures as `param` makes them, float32 [batch, 3 and
    more, y, x], and the objective on the way, float32 [step, batch], the mean over a picture's
    views. Pictures that are no further than plain grey after 12 steps begin again from stronger
    noise, where `param` is `Bolder` and there are `redirect_steps`; with `settle` they keep the
    better of both, without it no step depends on how many follow. `on_step` is called after each
    update and may raise to stop; the network is left as it was, with no hook and no gradient in it.

    Raises BadInput where the objective is for another number of pictures.
    """
    _check_number(target, len(seeds), views.each)
    model.passes  # noqa: B018 - found before anything changes how it runs
    starts, moves = _generators(seeds)
    params = param.start(starts).to(model.device).requires_grad_(True)
    view = views.begin(moves, steps, param.size, model.device)
    chosen = optimizer([params])
    rates = [group["lr"] for group in chosen.param_groups]
    # On the device: to fetch values at every step would keep it waiting for its next work.
    history = torch.empty(steps, len(seeds), device=model.device)

    def render() -> np.ndarray:
        with torch.no_grad():
            return as_uint8(finished(param, param.image(params)))

    ascent = Ascent(model, target, precision)
    again: BeginningAgain | None = None
    if redirect_steps and isinstance(param, Bolder) and views.each == 1:

        def unmoved(some: Tensor) -> Tensor:
            images = param.image(some)
            shown = param.shown(images, None) if isinstance(param, Layered) else images
            return target.value(activations(model, target, shown, precision), images).cpu()

        again = BeginningAgain(param, params, unmoved)

    def climb_a_step(step: int) -> None:
        seen = view(param.image(params), step)
        shown = param.shown(seen, moves) if isinstance(param, Layered) else seen
        values, through_seen, through_shown = ascent(seen, shown, redirected=step < redirect_steps)
        chosen.zero_grad(set_to_none=True)
        pairs = [(seen, through_seen), (shown, through_shown)]
        given = [(x, g) for x, g in pairs if g is not None]
        torch.autograd.backward([x for x, _ in given], [g for _, g in given])
        for group, rate in zip(chosen.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, (steps - step) / max(1.0, settle * steps))
        chosen.step()
        history[step] = values if views.each == 1 else values.view(-1, views.each).mean(1)

    with heap.kept() if model.device.type == "cpu" else nullcontext():
        for step in range(steps):
            if again is not None and step == AFTER:
                again.look(params, history[:step].cpu())
            climb_a_step(step)
            if again is not None and settle and step == steps - 1:
                again.keep_better(params)
            tell(on_step, StepState(step + 1, steps, render))
    with torch.no_grad():
        return param.image(params), history.cpu()


def finished(param: Parameterization, images: Tensor) -> Tensor:
    """Finished pictures from the images of `param`: RGB [batch, 3, y, x] in 0..1 that is exact
    in 8 bits, without transformations."""
    shown = param.shown(images, None) if isinstance(param, Layered) else images
    return (shown * 255).round() / 255


def as_uint8(images: Tensor) -> np.ndarray:
    """RGB [batch, 3, y, x] in 0..1 as uint8 [batch, y, x, 3]."""
    array: np.ndarray = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return array


def _check_number(target: Objective, pictures: int, views: int) -> None:
    if target.samples not in (None, pictures * views):
        seen = f" with {views} views of each picture" if views > 1 else ""
        raise BadInput(
            f"{target.label} is for {target.samples} pictures, but {pictures} seeds were "
            f"given{seen}; give one seed per picture"
        )


def _generators(
    seeds: Sequence[Sequence[int]],
) -> tuple[list[np.random.Generator], list[np.random.Generator]]:
    """Per picture one generator for its start and one for its views, so that the start does not
    depend on the number of steps."""
    pairs = [np.random.SeedSequence(list(seed)).spawn(2) for seed in seeds]
    return (
        [np.random.default_rng(start) for start, _ in pairs],
        [np.random.default_rng(move) for _, move in pairs],
    )
