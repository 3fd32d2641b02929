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
    hook is left behind. For a node of a dictionary the node that its latents write (the one under
    it; another for a transcoder) changes by what they change; what they do not explain of it stays.

    Raises BadInput, in the pass, where the node has not one value for each picture.
    """
    attached = model.attached(node)
    found = model.node(node) if attached is None else attached.writes
    read: dict[str, Tensor] = {}
    model.passes  # noqa: B018 - found before anything is replaced

    def swap(place: CallSite, output: Tensor) -> Tensor | None:
        if attached is not None and attached.transcodes and place == attached.base.place:
            base = attached.base
            read[base.id] = base.layout.shown(output, base.shape)
            return None
        put = values if model.picture is None else values[model.picture : model.picture + 1]
        if model.passes.paired and len(put) == 1:
            put = put.repeat(2, *[1] * (put.ndim - 1))
        pictures = found.layout.pictures(output)
        if pictures != len(put):
            raise BadInput(
                f"{found.id} has {pictures} values of each unit for {len(put)} pictures; "
                "expected one for each, so that others can stand in for them"
            )
        if attached is not None:
            there = found.layout.shown(output, found.shape)
            put = attached.put(put, there, read.pop(attached.base.id, None))
        # A copy, because what comes next may write into it.
        return found.layout.given(put, output).to(output.dtype).clone()

    places = [found.place] if attached is None else [attached.base.place, found.place]
    with Taps(model.module, places, swap):
        model.points.append(len(values))
        try:
            yield
        finally:
            model.points.pop()
