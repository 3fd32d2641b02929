"""The graph of any network: nodes, edges and receptive fields, found by watching a forward pass.

Modules decide where the nodes are: each output that is one tensor with an axis of pictures, one of
units, and perhaps a map of positions is a node; so is a sum or concatenation in plain code. The
ATen calls underneath show how values depend on each other and which axis is which, so functional
code is understood as well as modules.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from micrograph.models.graph.picture_axes import axes_of_pictures
from micrograph.models.graph.slips import Slip
from micrograph.models.graph.values import Watched
from micrograph.models.graph.watcher import Watcher, storage_of
from micrograph.models.node import CallSite
from micrograph.models.outputs import main_tensor
from micrograph.models.running.joins import JoinCalls
from micrograph.models.running.relu import ReLUCalls


class _ReportingReLUs(ReLUCalls):
    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def relu(self, x: Tensor, index: int) -> Tensor:
        result = super().relu(x, index)
        self.watcher.mark_relu(result, index)
        return result


class _ReportingJoins(JoinCalls):
    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def joined(self, kind: str, parts: Sequence[Any], result: Tensor) -> Tensor:
        self.watcher.join(kind, parts, result)
        return result


@contextmanager
def _reporting_calls(module: nn.Module, watcher: Watcher) -> Iterator[None]:
    """Report every module call to `watcher`; the hooks are removed, also after an error."""
    with ExitStack() as stack:
        for path, part in module.named_modules():
            before, after = _hooks(watcher, path)
            stack.callback(part.register_forward_pre_hook(before, with_kwargs=True).remove)
            # Before the hooks of others: what they record of an output comes from the node.
            stack.callback(part.register_forward_hook(after, prepend=True).remove)
        yield


def _hooks(watcher: Watcher, path: str) -> tuple[Callable[..., None], Callable[..., None]]:
    def before(module: nn.Module, args: Any, kwargs: Any) -> None:
        with torch._C.DisableTorchFunction():  # our own products are no joins of the network's
            watcher.enter(path, module, (args, kwargs))

    def after(module: nn.Module, args: Any, output: Any) -> None:
        with torch._C.DisableTorchFunction():
            watcher.leave(path, module, output)

    return before, after


def watch(module: nn.Module, images: Tensor) -> Watched:
    """What is seen when `module` runs on `images` [batch, channel, y, x].

    Raises what the network itself raises. One that runs only while nobody watches shows what it
    gave until it could not, and a slip says so.
    """
    watcher = _watch(module, images)
    found = axes_of_pictures(module, images, watcher.without_pictures)
    if found:
        watcher = _watch(module, images, found)
    coverage = watcher.unfollowed.coverage(watcher.slips)
    return Watched(watcher.values, tuple(watcher.slips), coverage)


def _watch(
    module: nn.Module, images: Tensor, picture_axes: Mapping[CallSite, int] | None = None
) -> Watcher:
    """A watcher that has seen a whole pass."""
    tensors = (*module.named_parameters(), *module.named_buffers())
    names = {storage_of(t): name for name, t in tensors}
    watcher = Watcher(names, picture_axes)
    watcher.start(images)
    output = None
    try:
        with (
            torch.no_grad(),
            _reporting_calls(module, watcher),
            watcher,
            _ReportingReLUs(watcher),
            _ReportingJoins(watcher),
        ):
            output = module(images)
    except Exception as error:
        with torch.no_grad():
            module(images)
        watcher.slips.append(Slip("", "everything behind", f"only unwatched: {error!r:.200}"))
    main = main_tensor(output)
    if main is not None and not watcher.has_output and _answers_each_alone(module, images, main):
        watcher.add_output(main)
    watcher.finish(output)
    return watcher


@torch.no_grad()
def _answers_each_alone(module: nn.Module, images: Tensor, output: Tensor) -> bool:
    """Whether each of several pictures gets its own row of the output, measured on noise where that
    could not be followed."""
    if not output.is_floating_point() or output.ndim < 2 or len(output) != len(images):
        return False
    draw = torch.Generator().manual_seed(0)
    noise = torch.rand(len(images) + 1, *images.shape[1:], generator=draw).to(images)
    together = main_tensor(module(noise[:-1]))
    if together is None or all(torch.equal(row, together[0]) for row in together[1:]):
        return len(images) == 1  # nothing of the pictures is in it, as far as several can tell
    for number, one in enumerate(noise[:-1]):
        alone = main_tensor(module(torch.stack([one, noise[-1]][: len(images)])))
        if alone is None or not torch.allclose(together[number], alone[0], rtol=1e-3, atol=1e-4):
            return False
    return True
