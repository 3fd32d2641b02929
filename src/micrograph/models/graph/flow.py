"""How a value reached another: through attention, or element by element.

Beside the sources of a value (`watching`) this tells two things of the way from them. `attended`
are those whose values went through attention and no other way: as a query, key or value. `root`
tells whether two values are elementwise functions of the same one, as in `x * sigmoid(x)`, which is
an activation, and not the product of two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

_PRODUCTS = frozenset({"mm", "addmm", "bmm", "baddbmm", "dot", "mv", "addmv"})
_ATTENTION = "_scaled_dot_product_"
_SAME = frozenset(
    {"clone", "alias", "detach", "_to_copy", "copy", "view", "_unsafe_view", "permute"}
    | {"transpose", "t", "squeeze", "unsqueeze", "_reshape_alias"}
)
ACTIVATIONS = frozenset(
    {"relu", "gelu", "silu", "hardswish", "hardtanh", "elu", "leaky_relu", "mish", "clamp_min"}
    | {"softplus", "_prelu_kernel", "glu"}
)
_CUTS = frozenset({"expand", "select", "unbind", "slice", "split", "split_with_sizes"})
"""What leaves a pattern one, though not all of it."""
_SOFTMAX = frozenset({"_softmax", "_safe_softmax"})
_roots = count()


@dataclass(frozen=True)
class Flow:
    """The way of one value: see above. `activated` are the sources that came through an activation
    on every way, before attention if they came through that. `pattern` is true of a softmax over
    places, and of what is made of it element by element: multiplied with something else it decides
    how much of which place counts."""

    root: int
    attended: frozenset[int] = frozenset()
    activated: frozenset[int] = frozenset()
    pattern: bool = False


def new_flow() -> Flow:
    """Of a value that is no function of another one that counts."""
    return Flow(next(_roots))


def attends(operation: str, flows: Sequence[Flow]) -> bool:
    """Whether an operation on such values from the pictures is attention: a product of two of them
    over an axis, or one with a pattern."""
    weighs = operation in ("mul", "div") and any(flow.pattern for flow in flows)
    product = operation in _PRODUCTS or operation.startswith(_ATTENTION)
    return len(flows) > 1 and (product or weighs)


def flow_after(
    operation: str,
    pointwise: bool,
    given: Sequence[tuple[Flow, frozenset[int]]],
    over_places: bool = False,
) -> Flow:
    """Of what an operation gave: `given` are flow and sources of each of its arguments that come
    from the pictures, of which there is at least one. A softmax may be `over_places`."""
    flows = [flow for flow, _ in given]
    every = frozenset().union(*(sources for _, sources in given))
    roots = {flow.root for flow in flows}
    keeps = operation in _SAME or pointwise
    root = roots.pop() if keeps and len(roots) == 1 else next(_roots)
    activated = every - frozenset().union(*(sources - flow.activated for flow, sources in given))
    if attends(operation, flows):
        return Flow(root, every, activated)
    direct = frozenset().union(*(sources - flow.attended for flow, sources in given))
    if operation in ACTIVATIONS:
        activated |= direct
    softmax = operation in _SOFTMAX and over_places
    whole = keeps or operation in _CUTS
    pattern = softmax or (len(given) == 1 and flows[0].pattern and whole)
    return Flow(root, every - direct, activated, pattern)
