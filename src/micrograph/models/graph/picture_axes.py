"""Finding the axis of pictures again where no rule followed it: pictures one by one in a loop, or
put in another order and back.

The network runs on two pictures, and on the same two the other way round with a third behind them.
The axis that counts to two and then to three counts pictures, if their values are the same in both
runs, the other way round: in an order of the network's own, or mixed, they would not be.
"""

from collections.abc import Collection
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from micrograph.models.node import CallSite

TWO, THREE = 2, 3
ORDER, TURNED = [0, 1, 2], [1, 0, 2]


def axes_of_pictures(
    module: nn.Module, images: Tensor, places: Collection[CallSite]
) -> dict[CallSite, int]:
    """The axis of pictures of what each of these calls gives, where there is one.

    Parameters:
        images: an example of what the network takes, [batch, channel, y, x].
        places: calls whose output is a tensor.
    """
    if not places:
        return {}
    draw = torch.Generator().manual_seed(0)
    noise = torch.rand((THREE, *images.shape[1:]), generator=draw).to(images)
    pictures = images[:1] + noise
    try:
        two, three = (_outputs(module, pictures[n], places) for n in (ORDER[:TWO], TURNED))
    except Exception:  # it does not take so many, or draws numbers: nothing is found
        return {}
    found = {}
    for place in two.keys() & three.keys():
        axis = _growing_axis(two[place], three[place])
        if axis is not None:
            found[place] = axis
    return found


def _growing_axis(two: Tensor, three: Tensor) -> int | None:
    """The axis that counts the pictures."""
    if two.ndim != three.ndim:
        return None
    grown = [d for d in range(two.ndim) if two.shape[d] != three.shape[d]]
    if len(grown) != 1 or (two.shape[grown[0]], three.shape[grown[0]]) != (TWO, THREE):
        return None
    first = three.narrow(grown[0], 0, TWO).flip(grown[0])
    scale = two.abs().max().item()
    same = torch.allclose(first, two, rtol=1e-3, atol=1e-4 * scale)
    told_apart = not torch.equal(*two.unbind(grown[0]))
    return grown[0] if same and told_apart else None


def _outputs(
    module: nn.Module, pictures: Tensor, places: Collection[CallSite]
) -> dict[CallSite, Tensor]:
    """What the calls at `places` give on these pictures."""
    found: dict[CallSite, Tensor] = {}
    counts: dict[str, int] = {}
    paths = {place.path for place in places}
    with ExitStack() as stack, torch.no_grad():
        for path, part in module.named_modules():
            if path in paths:

                def note(_: nn.Module, __: object, output: object, path: str = path) -> None:
                    place = CallSite(path, counts.get(path, 0))
                    counts[path] = place.call + 1
                    if place in places and isinstance(output, Tensor):
                        found[place] = output.detach().clone()

                stack.callback(part.register_forward_hook(note).remove)
        module(pictures)
    return found
