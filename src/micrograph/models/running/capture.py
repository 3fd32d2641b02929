"""Taking the values of nodes out of a forward pass, which stops behind the last one."""

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress

from torch import Tensor, nn

from micrograph.errors import BadInput
from micrograph.models.node import CallSite, Node
from micrograph.models.running.relu import ReLUOff
from micrograph.models.running.taps import Taps

OnReached = Callable[[dict[str, Tensor]], None]
"""Called with the values that were found so far; may put less in their place, or take them out."""


def keep_all(found: dict[str, Tensor]) -> None:
    """Leaves the values as they are."""


class _AllReached(BaseException):
    """All nodes were reached. A BaseException, so that no network catches it."""


def capture(
    module: nn.Module,
    x: Tensor,
    nodes: Sequence[Node],
    relus: ReLUOff | None = None,
    *,
    whole: bool = False,
    on_reached: OnReached = keep_all,
) -> tuple[dict[str, Tensor], list[str]]:
    """Run on preprocessed `x` until all of `nodes` were reached, or with `whole` to the end.

    Returns their values by id, [batch, unit, y, x] or [batch, unit], and the ids of nodes that the
    pass did not reach. `on_reached` is called at each of them.
    """
    found: dict[str, Tensor] = {}
    missing: dict[CallSite, list[Node]] = {}
    for node in nodes:
        missing.setdefault(node.place, []).append(node)

    def reached(place: CallSite, value: Tensor) -> Tensor | None:
        given = value
        for node in missing.pop(place, ()):
            _check_blocks(node, x)
            shown = node.layout.shown(value, grid_of(node, value, x))
            found[node.id] = shown.clone() if node.overwritten else shown
            if value.requires_grad and not (node.layout.as_given or node.overwritten):
                # So that what is shown lies on the way to later nodes, for gradients between them.
                value = node.layout.given(shown, value)
        on_reached(found)
        if not missing and not whole:
            raise _AllReached
        return None if value is given else value

    if missing or whole:
        bent = relus if relus is not None else nullcontext()
        with bent, suppress(_AllReached), Taps(module, missing, reached):
            module(x)
    return found, [node.id for some in missing.values() for node in some]


def _check_blocks(node: Node, x: Tensor) -> None:
    """How a node's output is cut in blocks is known for one size of pictures only."""
    blocks = node.layout.blocks
    if blocks is not None and node.shape and blocks.pixels != tuple(x.shape[2:]):
        rows, columns = blocks.pixels
        raise BadInput(
            f"pictures of {x.shape[2]} x {x.shape[3]} were given, but how the output of {node.id} "
            f"is cut in blocks is known for {rows} x {columns} only; expected pictures of that size"
        )


def grid_of(node: Node, value: Tensor, x: Tensor) -> tuple[int, ...]:
    """(y, x) of the positions of a stream of tokens, for pictures of any size and form.

    Of all grids of as many tokens it is the one whose form is nearest to the picture's: patches
    that do not fit whole change each side by less than a factor of two.
    """
    if "t" not in node.layout.axes or node.layout.token is not None:
        return ()
    count = node.layout.positions(value)
    if count == math.prod(node.shape) and x.shape[2] == x.shape[3]:
        return node.shape
    form = x.shape[2] / x.shape[3] * node.shape[0] / node.shape[1]

    def unlike(rows: int) -> float:
        return abs(math.log(rows * rows / count / form))

    rows = min((n for n in range(1, count + 1) if count % n == 0), key=unlike, default=0)
    if not rows or unlike(rows) >= math.log(2):
        raise BadInput(
            f"{node.id} has {count} tokens on pictures of {x.shape[2]} x {x.shape[3]}, which make "
            f"no grid; at its own size it has {node.shape[0]} x {node.shape[1]}"
        )
    return rows, count // rows
