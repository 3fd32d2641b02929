"""Running a model from an inner node on: with other values put in the node's place."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from micrograph.models.model import Model


@contextmanager
def replaced(model: Model, node: str, values: Tensor) -> Iterator[None]:
    """A context in which the passes of `model` go on from `node` with `values` [batch, unit, ...].

    What lies before the node is still computed, and then dropped. Gradients flow to `values`. Their
    batch may be larger than that of the pictures if nothing behind the node reads what is before
    it. One pass at a time; no hook is left behind.
    """
    path, _, call = model.node(node).path.partition("#")
    wanted, count = int(call or 0), 0

    def restart(module: nn.Module, inputs: Any) -> None:
        nonlocal count
        count = 0

    def swap(module: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        nonlocal count
        count += 1
        # A copy, because what comes next may write into it.
        return values.clone() if count == wanted + 1 else None

    hooks = (
        model.module.register_forward_pre_hook(restart),
        model.module.get_submodule(path).register_forward_hook(swap),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
