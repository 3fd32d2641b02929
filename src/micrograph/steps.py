"""How long work tells of itself: after each step, with its pictures for those who want to see them.

Whatever takes an `on_step` calls it with (step from 1, steps in all) after each step; it may raise
to stop the work. `Watch` is an `on_step` that gets the pictures as they stand, too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

StepHook = Callable[[int, int], None]
"""Called after each step with (step from 1, steps in all); may raise to stop."""


@dataclass(frozen=True)
class StepState:
    """Where some work stands: `step` (from 1) of `steps` are done."""

    step: int
    steps: int
    render: "Callable[[], np.ndarray] | None" = field(default=None, repr=False, compare=False)
    """Makes the pictures, where there are any."""

    def pictures(self) -> "np.ndarray | None":
        """The pictures as they stand, uint8 [batch, y, x, 3] in RGB, rendered when asked for.

        To be asked for within the callback, because afterwards they move on. None where the work
        makes no pictures. Asking changes nothing in the result.
        """
        return None if self.render is None else self.render()


@dataclass(frozen=True)
class Watch:
    """A `StepHook` whose `callback` gets a `StepState`, and with it the pictures as they stand.

    It can be given wherever an `on_step` can; the callback may raise to stop.

    >>> from micrograph import load, optimize as opt
    >>> def show(step: opt.StepState) -> None:
    ...     if step.step in (1, step.steps):
    ...         print(step.step, "of", step.steps, step.pictures().shape)
    >>> settings = opt.Settings(size=32, steps=4)
    >>> target = opt.channel("mixed4a", 3)
    >>> _ = opt.optimize(load("toytown"), target, settings, on_step=opt.Watch(show))
    1 of 4 (1, 32, 32, 3)
    4 of 4 (1, 32, 32, 3)
    """

    callback: Callable[[StepState], None]

    def __call__(self, step: int, steps: int) -> None:
        self.callback(StepState(step, steps))


def tell(hook: StepHook | None, step: StepState) -> None:
    """Call `hook`, if there is one, as it wants to be called."""
    if isinstance(hook, Watch):
        hook.callback(step)
    elif hook is not None:
        hook(step.step, step.steps)


def part_of(hook: StepHook | None, done: int, here: int, total: int) -> StepHook | None:
    """The hook for one part of some work, that tells `hook` of the whole.

    The part is `here` of `total` equal pieces, and `done` of them were finished before it.
    """
    if hook is None or here == total:
        return hook

    def onward(step: StepState) -> None:
        steps = step.steps
        tell(hook, StepState(done * steps + here * step.step, total * steps, step.render))

    return Watch(onward)


def rising(hook: StepHook | None) -> StepHook | None:
    """`hook`, that never hears of less than it heard before, though work begins again.

    It is called at every step all the same, so that it can stop the work.
    """
    if hook is None:
        return None
    furthest = StepState(0, 1)

    def onward(step: StepState) -> None:
        nonlocal furthest
        if step.step * furthest.steps >= furthest.step * step.steps:
            furthest = StepState(step.step, step.steps)
        tell(hook, StepState(furthest.step, furthest.steps, step.render))

    return Watch(onward)
