"""Rules of `aten` for what sums over axes: linear layers, attention, norms, means."""

from collections.abc import Callable

from micrograph.models.graph.aten_call import ALL, Call, Trace, axes_meant, unless_inexact
from micrograph.models.graph.axes import (
    Axes,
    Axis,
    all_of_space,
    axis,
    has,
    in_space,
    unknown,
    without_gaps,
)
from micrograph.models.graph.receptive_field import UNKNOWN, WHOLE, Field


def _summed(field: Field, gone: Axis) -> Field:
    """The field after a sum over an axis with fixed weights."""
    if field.status != "exact" or not in_space(gone):
        return field
    if all_of_space(gone):
        return WHOLE
    lowest = {a.role: a.size for a in in_space(gone) if a.stride == 1 and not a.whole}
    if sorted(lowest) == ["x", "y"] and len(in_space(gone)) == 2:  # patches laid side by side
        window = (lowest["y"], lowest["x"])
        return field.window(window, window)
    return UNKNOWN


def _tokens(gone: Axis) -> str:
    """Whether a sum over an axis mixes single tokens with a map's positions."""
    return ALL if has([gone], "t") else ""


def _output_axis(gone: Axis, others: Axes, size: int) -> Axis:
    """The axis of a linear layer's output: units, unless it mixes another axis and leaves those."""
    return axis("u" if has([gone], "u") or not has(others, "u") else "?", size)


def _product(call: Call) -> Trace:
    """`mm` and `addmm`: a matrix times fixed weights, or fixed weights times a matrix."""
    left, right = _factors(call)
    if left is not None and right is not None:
        return _product_of_two(call, left.axes, right.axes)
    if left is not None:
        rows, gone = left.axes
        made = _output_axis(gone, (rows,), call.result.shape[1])
        return Trace(without_gaps((rows, made)), _summed(call.field, gone), _tokens(gone))
    if right is not None:
        gone, columns = right.axes
        made = _output_axis(gone, (columns,), call.result.shape[0])
        return Trace(without_gaps((made, columns)), _summed(call.field, gone), _tokens(gone))
    return Trace(
        unknown(call.result.shape), unless_inexact(call.field, UNKNOWN)
    )  # neither factor comes from the pictures


_FACTORS = {
    "mm": ("self", "mat2"),
    "addmm": ("mat1", "mat2"),
    "bmm": ("self", "mat2"),
    "baddbmm": ("batch1", "batch2"),
}


def _factors(call: Call) -> tuple[Trace | None, Trace | None]:
    """The traces of the two factors; None for what does not come from the pictures."""
    left, right = _FACTORS[call.name]
    return call.of(call.arguments[left]), call.of(call.arguments[right])


def _linear(call: Call) -> Trace:
    given = call.of(call.arguments["input"])
    if given is None:  # weights that come from the pictures
        return Trace(unknown(call.result.shape), unless_inexact(call.field, UNKNOWN))
    *others, gone = given.axes
    made = _output_axis(gone, tuple(others), call.result.shape[-1])
    return Trace(without_gaps((*others, made)), _summed(call.field, gone), _tokens(gone))


def _batched(call: Call) -> Trace:
    """`bmm`: also where both factors come from the pictures, as in attention."""
    left, right = _factors(call)
    if left is not None and right is not None:
        return _product_of_two(call, left.axes, right.axes)
    if left is not None:
        batch, rows, gone = left.axes
        made = _output_axis(gone, (batch, rows), call.result.shape[2])
        return Trace(without_gaps((batch, rows, made)), _summed(call.field, gone), _tokens(gone))
    if right is not None:
        batch, gone, columns = right.axes
        made = _output_axis(gone, (batch, columns), call.result.shape[1])
        return Trace(without_gaps((batch, made, columns)), _summed(call.field, gone), _tokens(gone))
    return Trace(unknown(call.result.shape), unless_inexact(call.field, UNKNOWN))


def _product_of_two(call: Call, left: Axes, right: Axes) -> Trace:
    """[..., n, k] times [..., k, m]: values under a pattern stand on the right."""
    gone = right[-2]
    field = call.field
    if field.status == "exact" and in_space(gone):
        field = WHOLE if all_of_space(gone) else UNKNOWN
    return Trace(without_gaps((*right[:-2], left[-2], right[-1])), field, _tokens(gone))


def _attention(call: Call) -> Trace:
    query, value = (call.of(call.arguments[name]) for name in ("query", "value"))
    if query is None or value is None or call.number or call.result.ndim != 4:
        return Trace(unknown(call.result.shape), unless_inexact(call.field, UNKNOWN))
    keys = value.axes[2]
    field = unless_inexact(call.field, WHOLE if all_of_space(keys) else UNKNOWN)
    return Trace((*value.axes[:2], query.axes[2], value.axes[3]), field, _tokens(keys))


def _reduction(call: Call) -> Trace:
    """A reduction: over all positions its field is everything; over units alone it stays."""
    given, rank = call.first.axes, call.input.ndim
    dims = set(axes_meant(call.arguments.get("dim"), rank))
    gone = tuple(atom for d in sorted(dims) for atom in given[d])
    field = _summed(call.field, gone)
    if any(in_space(given[d]) for d in range(rank)) and any(
        not in_space(given[d]) and has([given[d]], "?") for d in dims
    ):
        field = unless_inexact(field, UNKNOWN)
    if call.result.ndim == rank:
        axes = tuple(() if d in dims else one for d, one in enumerate(given))
    elif call.result.ndim == rank - len(dims):
        axes = tuple(one for d, one in enumerate(given) if d not in dims)
    else:
        return Trace(unknown(call.result.shape), unless_inexact(field, UNKNOWN))
    return Trace(without_gaps(axes), field, _tokens(gone))


def _softmax(call: Call) -> Trace:
    over = call.first.axes[call.arguments["dim"]]
    return Trace(call.first.axes, _mixed(call.field, over))


def _layer_norm(call: Call) -> Trace:
    if call.result.shape != call.input.shape:
        return Trace(unknown(call.result.shape), UNKNOWN)
    axes = call.first.axes
    count = len(call.arguments["normalized_shape"])
    over = tuple(atom for one in axes[len(axes) - count :] for atom in one)
    if count == 1 and has(axes[-1:], "?") and not has(axes, "u"):
        axes = (*axes[:-1], axis("u", call.result.shape[-1]))
    return Trace(axes, _mixed(call.field, over))


def _mixed(field: Field, over: Axis) -> Field:
    """The field where every value sees all of an axis."""
    if not in_space(over):
        return unless_inexact(field, UNKNOWN) if has([over], "?") else field
    return unless_inexact(field, WHOLE if all_of_space(over) else UNKNOWN)


RULES: dict[str, Callable[[Call], Trace]] = {
    "mm": _product,
    "addmm": _product,
    "linear": _linear,
    "bmm": _batched,
    "baddbmm": _batched,
    "_softmax": _softmax,
    "native_layer_norm": _layer_norm,
    "_fused_rms_norm": _layer_norm,
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
            "_scaled_dot_product_fused_attention_overrideable",
        ),
        _attention,
    ),
    **dict.fromkeys(
        (
            "mean",
            "sum",
            "amax",
            "amin",
            "var",
            "std",
            "var_mean",
            "linalg_vector_norm",
            "logsumexp",
        ),
        _reduction,
    ),
}
