"""Running a model from an inner node on: with other values put in the node's place."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.models.node import CallSite
from micrograph.models.running.taps import Taps


@contextmanager
def replaced(model: Model, node: str, values: Tensor) -> Iterator[None]:
    """A context in which the passes of `model` go on from `node` with `values` [batch, unit, ...].

    What lies before the node is still computed, and then dropped; of tokens only those that the
    node shows are replaced. Gradients flow to `values`. `model.run` takes as many pictures there,
    or one: then as many of it go in, because what comes later may know how many these were. No
    hook is left behind. For a node of a dictionary the node under it changes by what its latents
    change; what they do not explain of it stays.

    Raises BadInput, in the pass, where the node has not one value for each picture.
    """
    found, attached = model.node(node), model.attached(node)
    model.passes  # noqa: B018 - found before anything is replaced

    def swap(place: CallSite, output: Tensor) -> Tensor:
        put = values if model.picture is None else values[model.picture : model.picture + 1]
        pictures = found.layout.pictures(output)
        if pictures != len(put):
            raise BadInput(
                f"{found.id} has {pictures} values of each unit for {len(put)} pictures; "
                "expected one for each, so that others can stand in for them"
            )
        if attached is not None:
            put = attached.put(put, found.layout.shown(output, found.shape))
        # A copy, because what comes next may write into it.
        return found.layout.given(put, output).to(output.dtype).clone()

    with Taps(model.module, [found.place], swap):
        model.points.append(len(values))
        try:
            yield
        finally:
            model.points.pop()
