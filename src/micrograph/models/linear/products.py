"""Products and quotients, of which several factors may depend on the source."""

from typing import Any

from torch import Tensor

from micrograph.models.linear.call import Call, Made, names
from micrograph.models.linear.shadow import BOUNDED, Shadow

FACTORS: dict[str, tuple[int, int]] = {
    "mul": (0, 1),
    "mm": (0, 1),
    "bmm": (0, 1),
    "mv": (0, 1),
    "dot": (0, 1),
    "convolution": (0, 1),
    "_convolution": (0, 1),
    "addmm": (1, 2),
    "addmv": (1, 2),
    "baddbmm": (1, 2),
    "addbmm": (1, 2),
    "addcmul": (1, 2),
    "linear": (0, 1),
    "addr": (1, 2),
    "ger": (0, 1),
    "vdot": (0, 1),
}
"""Operations that multiply two of their arguments, and the places of these."""


SOFTMAX = names("_softmax _safe_softmax softmax")
POINTWISE = names("pow sqrt rsqrt exp log log2 log1p expm1 reciprocal sin cos square")
"""Of the operations whose values are held, those that make each number of one in its place."""


def product(call: Call) -> Made:
    """Linear in each factor: with one that depends on the source it is exact."""
    places = FACTORS[call.name]
    a, b = (call.args[place] for place in places)
    if call.is_live(a) and call.is_live(b):
        return _of_two(call, places, call.shadows[id(a)], call.shadows[id(b)])
    if not (call.is_live(a) or call.is_live(b)):  # what is added to it does
        return Made(call.on_linear())
    live, (other_place, other) = (a, (places[1], b)) if call.is_live(a) else (b, (places[0], a))
    but = {other_place: call.weight(other)} if isinstance(other, Tensor) else {}
    if (known := call.shadow(other)) is not None and known.stand_in is not None:
        but = {other_place: known.stand_in}
    found = Made(call.on_linear(but=but))
    if call.is_held(other):
        found.passed = call.passed
        held_before = call.shadows[id(other)]
        told = held_before.stand_in is not None or any(n.held for n in held_before.all_passed)
        if not told:
            note = call.approximation("its other factor is that on the reference", held=True)
            found.passed |= {note}
    elif call.name == "mul":
        _keep_form(call, live, other, found)
    return found


def _keep_form(call: Call, live: Tensor, other: Any, found: Made) -> None:
    """A gate times a plain number is one still."""
    shadow = call.shadows[id(live)]
    if not isinstance(other, Tensor) or other.numel() == 1:
        found.gate, found.top = shadow.gate, shadow.top * float(other)
        found.as_elementwise = True
        found.passed, found.trailing = shadow.passed, shadow.trailing


def _of_two(call: Call, places: tuple[int, int], a: Shadow, b: Shadow) -> Made:
    if call.name == "mul":
        for x, gate in ((a, b), (b, a)):
            if _is_activation(x, gate):
                note = call.approximation("x times a function of x, taken as the identity")
                linear = call.linear(x.value) * gate.top
                return Made(linear, x.all_passed, frozenset({note}), 1, as_elementwise=True)
    if a.gate != b.gate:
        held = places[0] if a.gate > b.gate else places[1]
        note = call.approximation("the gate has the value that it has on the reference", held=True)
        other = b if held == places[0] else a
        linear = call.on_linear(but={held: call.args[held]})
        return Made(linear, other.all_passed | {note})
    note = call.approximation("the product's slope is that on the reference", held=True)
    one = call.on_linear(but={places[1]: b.value})
    two = call.on_linear(but={places[0]: a.value})
    return Made(one + two, call.passed | {note})


def _is_activation(x: Shadow, gate: Shadow) -> bool:
    """Whether x * gate is an activation of x, as x * sigmoid(x) is."""
    same = x.root is gate.root and x.value.shape == gate.value.shape
    return same and gate.gate == BOUNDED and x.gate != BOUNDED


def quotient(call: Call) -> Made:
    """What it divides by is held, where that depends on the source."""
    above, below = call.args[:2]
    if not call.is_live(above):
        return held(call)
    if not isinstance(below, Tensor) or call.shadow(below) is None:
        found = Made(call.on_linear())
        if not isinstance(below, Tensor) or below.numel() == 1:
            shadow = call.shadows[id(above)]
            found.gate, found.top = shadow.gate, shadow.top / float(below)
            found.as_elementwise = True
            found.passed, found.trailing = shadow.passed, shadow.trailing
        return found
    note = call.approximation("what it divides by is that on the reference", held=True)
    linear = call.on_linear(but={1: below})
    return Made(linear, call.shadows[id(above)].all_passed | {note})


def held(call: Call) -> Made:
    """A value that depends on the source in no nearly linear way: it is that on the reference."""
    if call.heads is not None and call.name in SOFTMAX:
        note = call.heads.note(call.where, call.name)
        pattern = call.heads.of_pattern(call.result, call.where)
        return Made(None, frozenset({note}), stand_in=pattern)
    what = "pattern" if "softmax" in call.name else "value"
    note = call.approximation(f"its {what} is that on the reference", held=True)
    outputs: Any = None
    if isinstance(call.result, tuple | list):
        outputs = type(call.result)([None] * len(call.result))
    return Made(outputs, frozenset({note}), as_elementwise=call.name in POINTWISE)
