"""Running a model from an inner node on: with other values put in the node's place."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from micrograph.models.model import Model
from micrograph.models.node import CallSite
from micrograph.models.running.taps import Taps


@contextmanager
def replaced(model: Model, node: str, values: Tensor) -> Iterator[None]:
    """A context in which the passes of `model` go on from `node` with `values` [batch, unit, ...].

    What lies before the node is still computed, and then dropped; of tokens only those that the
    node shows are replaced. Gradients flow to `values`. Their batch may be larger than that of the
    pictures, if this is one and nothing behind the node reads what is before it. No hook is left
    behind. For a node of a dictionary the node under it changes by what its latents change; what
    they do not explain of it stays.
    """
    found, attached = model.node(node), model.attached(node)

    def swap(place: CallSite, output: Tensor) -> Tensor:
        put = values
        if attached is not None:
            put = attached.put(values, found.layout.shown(output, found.shape))
        # A copy, because what comes next may write into it.
        return found.layout.given(put, output).clone()

    with Taps(model.module, [found.place], swap):
        yield
