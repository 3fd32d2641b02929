"""What goes wrong with one node costs that node: it is left out, counted and told of."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from micrograph.errors import BadInput, MicrographError, Unavailable
from micrograph.heap import NO_MEMORY, says_no_memory
from micrograph.steps import StepHook, StepState, Watch, tell

if TYPE_CHECKING:
    from micrograph.models.model import Model


class Listener:
    """`hook`, which goes on to whoever wants to be told of steps; `raised` says that they raised:
    to stop the work, or because the disk is full."""

    def __init__(self, listening: StepHook | None) -> None:
        self.raised = False
        self.hook = Watch(self._tell)
        self._listening = listening

    def _tell(self, step: StepState) -> None:
        try:
            tell(self._listening, step)
        except BaseException:
            self.raised = True
            raise


def in_one_line(error: Exception) -> MicrographError:
    """What went wrong, as an error for people."""
    if isinstance(error, MicrographError):
        return error
    if says_no_memory(error):
        return Unavailable(NO_MEMORY)
    lines = str(error).splitlines() or [""]
    return MicrographError(f"{type(error).__name__}: {lines[0][:200]}".removesuffix(": "))


def unusable(model: "Model", nodes: Collection[str]) -> dict[str, MicrographError]:
    """The nodes that give no values of a form that lenses understand, with the reason."""
    import torch

    side = model.preprocessing.size
    noise = np.random.default_rng(0).random((2, 3, side, side), np.float32)
    found: dict[str, MicrographError] = {}
    for node in nodes:
        try:
            with torch.no_grad():
                values = model.run(torch.from_numpy(noise).to(model.device), [node])[node]
            if values.ndim not in (2, 4) or values.shape[:2] != (2, model.node(node).units):
                raise BadInput(
                    f"{node} has values of shape {list(values.shape)} for two pictures; expected "
                    f"[2, {model.node(node).units}] or [2, {model.node(node).units}, y, x]"
                )
        except Exception as error:  # of a network: whatever it is
            found[node] = in_one_line(error)
    return found


def by_reason(failed: Mapping[str, MicrographError]) -> list[str]:
    """A line for each reason, with the nodes that it holds for."""
    nodes: dict[str, list[str]] = {}
    for node, error in failed.items():
        nodes.setdefault(str(error), []).append(node)
    return [f"{few(names)}: {reason}" for reason, names in nodes.items()]


def few(names: Iterable[str]) -> str:
    """The first three, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
