"""What the passes of a network are like, and making them so that each picture counts for itself.

Everything here takes a pass for a function of each picture alone. Most networks are that in eval
mode. What is not, is mended where it can be: pictures go through one at a time, draws are the same
every time, what a pass leaves behind is put back, gradients are left on.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from micrograph.models.running.gradients import GradientsOn, checkpoints_off, inference_mode_off
from micrograph.models.running.norms import right_norm_gradients
from micrograph.models.running.state import State, kept, same_draws


@dataclass(frozen=True)
class Passes:
    """What a probe found (see `probing.probe`). Nodes are those where it shows first; "" if none.

    `draws`: random numbers are drawn, and `random` is where they show. `alone`: pictures go through
    one at a time, because what a network makes of one depends on those `beside` it, or because it
    takes no more. `paired`: one picture goes through as two of the same, because of one alone the
    network loses the axis of pictures, as `squeeze()` does.

    `keeps`: the parts of the network that would not be left as they were, and
    `carried` is where that changes the next pass. `whole`: a pass is never stopped early, because
    there are hooks that may wait for its end. `opened`: where gradients are off inside, and left on
    by us; `severed`: what answers to pictures and has no gradient all the same. `checkpoints`:
    parts are made to be run again in a backward pass. `unsteady`: where two passes differ in spite
    of all this.
    """

    draws: bool = False
    random: str = ""
    alone: bool = False
    beside: str = ""
    paired: bool = False
    keeps: tuple[str, ...] = ()
    carried: str = ""
    whole: bool = False
    opened: str = ""
    severed: tuple[str, ...] = ()
    checkpoints: bool = False
    unsteady: str = ""

    def remarks(self) -> list[str]:
        """What a reader of results should know, each in one line; none for most networks."""
        found = []
        if self.random:
            found.append(
                f"{self.random} differs from pass to pass, because random numbers are drawn in "
                "eval mode; here the draws are the same for every picture and every pass (seed 0)"
            )
        if self.beside:
            found.append(
                f"{self.beside} depends on which pictures are beside one (statistics of the "
                "batch?); here each picture goes through alone"
            )
        elif self.alone and not self.random:
            found.append("it takes one picture at a time, and gets them so")
        if self.carried:
            found.append(
                f"{self.carried} depends on passes made before; here what a pass leaves behind is "
                "put back"
            )
        if self.opened:
            found.append(
                f"{self.opened} is computed with gradients switched off; here they are left on"
            )
        if self.severed:
            more = f" and {len(self.severed) - 1} more" if len(self.severed) > 1 else ""
            found.append(
                f"no gradient leads from {self.severed[0]}{more} to the picture (detached?); "
                "none can be optimized for it"
            )
        if self.unsteady:
            found.append(
                f"{self.unsteady} differs between equal passes, for a reason that was not found; "
                "its values, and all behind it, are not to be trusted"
            )
        return found


@contextmanager
def mended(module: nn.Module, passes: Passes, device: torch.device) -> Iterator[None]:
    """A context for one pass of `module` as `passes` wants it."""
    with ExitStack() as stack:
        if passes.draws:
            stack.enter_context(same_draws(device))
        if passes.keeps:
            stack.enter_context(kept(module, passes.keeps))
        if passes.checkpoints:
            stack.enter_context(checkpoints_off())
        if torch.is_grad_enabled():
            if passes.opened:
                stack.enter_context(inference_mode_off())
                stack.enter_context(GradientsOn())
            stack.enter_context(right_norm_gradients())
        yield


@contextmanager
def to_be_watched(module: nn.Module, device: torch.device) -> Iterator[None]:
    """A context for the first pass of `module`, which tells what there is.

    Operations in inference mode, and in what a checkpoint calls, could not be watched. The draws
    are those of later passes, and what the pass writes into tensors is put back; tables that it
    fills stay.
    """
    with (
        torch.inference_mode(False),
        inference_mode_off(),
        checkpoints_off(),
        same_draws(device),
    ):
        state = State(module)
        try:
            yield
        finally:
            state.restore_numbers()
