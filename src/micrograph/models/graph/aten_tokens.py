"""Rules of `aten` for what makes tokens of a map, and picks some of them out."""

from collections.abc import Callable

from micrograph.models.graph.aten_call import (
    Call,
    Trace,
    is_convolution_map,
    pair,
    unless_inexact,
)
from micrograph.models.graph.axes import LOOSE, Atom, axis, in_space, tokens, unknown
from micrograph.models.graph.receptive_field import UNKNOWN


def _unfold(call: Call) -> Trace:
    """`im2col`: [batch, unit * window, positions] of the windows of a map."""
    if call.input.ndim != 4 or not is_convolution_map(call.first.axes):
        return Trace(unknown(call.result.shape), unless_inexact(call.field, UNKNOWN))
    names = ("kernel_size", "stride", "padding", "dilation")
    kernel, stride, padding, dilation = (pair(call.arguments[name]) for name in names)
    batch, units = call.first.axes[:2]
    sizes = call.input.shape[2:]
    fits = all(n % k == 0 for n, k in zip(sizes, kernel, strict=True))
    if fits and kernel == stride and padding == (0, 0) and dilation == (1, 1):
        # Each position is still there, as a place within a window and the window's place.
        inside, beside = [], []
        for role, n, k in zip("yx", sizes, kernel, strict=True):
            inside.append(Atom(role, k, 1, n))
            beside.append(Atom(role, n // k, k, n))
        return Trace((batch, (*units, *inside), tuple(beside)), call.field)
    made = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )
    places = axis("y", made[0]) + axis("x", made[1])
    field = call.field.window(kernel, stride, padding, dilation, made)
    return Trace((batch, axis("u", call.result.shape[1]), places), field)


def _gathered(call: Call) -> Trace:
    """`gather`: of each picture other tokens, so that none stands for a place any more."""
    given, dim = call.of(call.arguments["self"]), call.arguments["dim"]
    lost = Trace(unknown(call.result.shape), unless_inexact(call.field, UNKNOWN))
    if given is None or not given.axes:
        return lost
    dim %= len(given.axes)
    axes = list(given.axes)
    for d, (before, after) in enumerate(
        zip(call.arguments["self"].shape, call.result.shape, strict=True)
    ):
        if d != dim and before != after:
            axes[d] = axis("?", after)
    if not in_space(given.axes[dim]):
        axes[dim] = axis("?", call.result.shape[dim])
        return Trace(tuple(axes), lost.field)
    axes[dim] = tokens((LOOSE,) * call.result.shape[dim], None)
    return Trace(tuple(axes), lost.field)


RULES: dict[str, Callable[[Call], Trace]] = {"im2col": _unfold, "gather": _gathered}
