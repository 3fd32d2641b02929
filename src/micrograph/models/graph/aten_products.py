"""Rules of `aten` for what sums over axes: linear layers, attention, norms, means."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from micrograph.models.graph.aten_call import ALL, Call, Trace, axes_meant, unless_inexact
from micrograph.models.graph.axes import (
    QUERY,
    Atom,
    Axes,
    Axis,
    all_of_space,
    axis,
    has,
    in_space,
    is_whole,
    queries,
    size_of,
    unknown,
    visible,
    without_gaps,
)
from micrograph.models.graph.places import mixed, summed
from micrograph.models.graph.receptive_field import UNKNOWN, WHOLE, Field, union


def _tokens(gone: Axis) -> str:
    """Whether a sum over an axis mixes single tokens with a map's positions."""
    return ALL if has([gone], "t") else ""


def _output_axis(gone: Axis, others: Axes, size: int) -> Axis:
    """The axis of a linear layer's output: units, unless it mixes another axis and leaves those."""
    return axis("u" if has([gone], "u") or not has(others, "u") else "?", size)


def _over(call: Call, given: Trace, gone: Axis, axes: Axes) -> Trace:
    """The trace of a sum over `gone` that leaves `axes`."""
    return Trace(without_gaps(axes), summed(call.field, given.axes, gone), _tokens(gone))


def _product(call: Call) -> Trace:
    """`mm` and `addmm`: a matrix times fixed weights, or fixed weights times a matrix."""
    left, right = _factors(call)
    if left is not None and right is not None:
        return _product_of_two(left, right)
    if left is not None:
        rows, gone = left.axes
        made = _output_axis(gone, (rows,), call.result.shape[1])
        return _over(call, left, gone, (rows, made))
    if right is not None:
        gone, columns = right.axes
        made = _output_axis(gone, (columns,), call.result.shape[0])
        return _over(call, right, gone, (made, columns))
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
    return _over(call, given, gone, (*others, made))


def _batched(call: Call) -> Trace:
    """`bmm`: also where both factors come from the pictures, as in attention."""
    left, right = _factors(call)
    if left is not None and right is not None:
        return _product_of_two(left, right)
    if left is not None:
        batch, rows, gone = left.axes
        made = _output_axis(gone, (batch, rows), call.result.shape[2])
        return _over(call, left, gone, (batch, rows, made))
    if right is not None:
        batch, gone, columns = right.axes
        made = _rows(gone, (batch, columns), call.result.shape[1])
        return _over(call, right, gone, (batch, made, columns))
    return Trace(unknown(call.result.shape), unless_inexact(call.field, UNKNOWN))


def _rows(gone: Axis, others: Axes, size: int) -> Axis:
    """What the rows of fixed weights make of units: with all of them other units, which may be
    learned queries, and these surely if each head has its part of the units."""
    made = _output_axis(gone, others, size)
    if not has([made], "u"):
        return made
    return (replace(made[0], names=(QUERY,)),) if is_whole(gone, "u") else queries(size)


def _product_of_two(left: Trace, right: Trace) -> Trace:
    """[..., n, k] times [..., k, m]: values under a pattern stand on the right."""
    gone = right.axes[-2]
    lead = [_lead(*both) for both in zip(left.axes[:-2], right.axes[:-2], strict=True)]
    row = left.axes[-2]
    if any(a.role == "u" and a.names for a in row):  # a pattern over places, of learned queries
        row = queries(size_of(row))
    rows, columns = (
        axis("o", size_of(one)) if has([one], "?") else one for one in (row, right.axes[-1])
    )  # whatever they count: a pattern of queries and keys is no map
    return Trace(without_gaps((*lead, rows, columns)), _under([left, right], gone), _tokens(gone))


def _lead(left: Axis, right: Axis) -> Axis:
    """An axis on which a product works part by part: that of the values, if they are of the same
    pictures as the pattern, whose heads may have lost their places among the units."""
    if has([right], "?"):
        return left
    if has([left], "?") or _pictures(left) == _pictures(right):
        return right
    return axis("?", size_of(right))


def _pictures(one: Axis) -> list[tuple[int, Atom | None]]:
    """Where on an axis pictures are counted."""
    return [(a.size, a if a.role == "b" else None) for a in visible(one)]


def _under(factors: Sequence[Trace], gone: Axis) -> Field:
    """The field of a product of tensors that come from the pictures, summed over `gone`."""
    field = union(factor.field for factor in factors)
    if any(factor.field.status == "unknown" for factor in factors):
        return UNKNOWN
    if in_space(gone):
        return WHOLE if all_of_space(gone) else unless_inexact(field, UNKNOWN)
    if field.status == "unknown" and all(_all_places(factor.axes) for factor in factors):
        return WHOLE  # each place of one map with each of another
    return field


def _all_places(axes: Axes) -> bool:
    return any(all_of_space(one) for one in axes)


def _attention(call: Call) -> Trace:
    query, value = (call.of(call.arguments[name]) for name in ("query", "value"))
    if value is None or call.number or call.result.ndim != 4:
        return Trace(unknown(call.result.shape), unless_inexact(call.field, UNKNOWN))
    keys, count = value.axes[2], call.result.shape[2]
    field = _under([trace for _, trace in call.inputs], keys)
    lead, rows = value.axes[:2], queries(count)
    if query is not None:
        lead = tuple(_lead(q, v) for q, v in zip(query.axes[:2], lead, strict=True))
        rows = query.axes[2]
    apart = call.apart("query", "key", "value")
    return Trace((*lead, rows, value.axes[3]), field, _tokens(keys), apart)


def _reduction(call: Call) -> Trace:
    """A reduction: over all positions its field is everything; over units alone it stays."""
    if "other" in call.arguments:  # the larger of two
        return Trace(call.agreed(), call.field)
    given, rank = call.first.axes, call.input.ndim
    dims = set(axes_meant(call.arguments.get("dim"), rank))
    gone = tuple(atom for d in sorted(dims) for atom in given[d])
    field = summed(call.field, given, gone)
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
    given = call.first.axes
    over = tuple(atom for d in axes_meant(call.arguments["dim"], len(given)) for atom in given[d])
    return Trace(given, mixed(call.field, given, over))


def _layer_norm(call: Call) -> Trace:
    if call.result.shape != call.input.shape:
        return Trace(unknown(call.result.shape), UNKNOWN)
    axes = call.first.axes
    count = len(call.arguments["normalized_shape"])
    over = tuple(atom for one in axes[len(axes) - count :] for atom in one)
    if count == 1 and has(axes[-1:], "?") and not has(axes, "u"):
        axes = (*axes[:-1], axis("u", call.result.shape[-1]))
    return Trace(axes, mixed(call.field, call.first.axes, over))


RULES: dict[str, Callable[[Call], Trace]] = {
    "mm": _product,
    "addmm": _product,
    "linear": _linear,
    "bmm": _batched,
    "baddbmm": _batched,
    **dict.fromkeys(("_softmax", "_log_softmax", "_safe_softmax"), _softmax),
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
            "max",
            "min",
            "aminmax",
            "median",
            "nanmedian",
            "mode",
            "kthvalue",
            "norm",
            "prod",
            "nansum",
            "std_mean",
        ),
        _reduction,
    ),
}
