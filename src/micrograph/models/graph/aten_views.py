"""Rules of `aten` for what rearranges, cuts and joins."""

from collections.abc import Callable, Sequence

from torch import Tensor

from micrograph.models.graph.aten_call import (
    Call,
    Trace,
    axes_meant,
    resized_axis,
    unless_inexact,
)
from micrograph.models.graph.axes import (
    Axes,
    Axis,
    axis,
    in_space,
    is_whole,
    regrouped,
    tokens,
    tokens_of,
    visible,
    without_gaps,
)
from micrograph.models.graph.receptive_field import UNKNOWN


def _view(call: Call) -> Trace:
    axes = regrouped(call.first.axes, call.result.shape)
    lost = _in_space(call.first.axes) and not _in_space(axes)
    return Trace(axes, unless_inexact(call.field, UNKNOWN) if lost else call.field)


def _in_space(axes: Axes) -> bool:
    """Whether any axis counts places."""
    return any(in_space(one) for one in axes)


def _permute(call: Call) -> Trace:
    axes = call.first.axes
    return Trace(tuple(axes[d] for d in call.arguments["dims"]), call.field)


def _transpose(call: Call) -> Trace:
    axes = list(call.first.axes)
    if axes:  # `t` names no axes
        a, b = call.arguments.get("dim0", 0), call.arguments.get("dim1", -1)
        axes[a], axes[b] = axes[b], axes[a]
    return Trace(tuple(axes), call.field)


def _squeeze(call: Call) -> Trace:
    axes, shape = call.first.axes, call.input.shape
    given = call.arguments.get("dim", range(len(shape)))
    gone = set() if given == [] else axes_meant(given, len(shape))
    left = (one for d, one in enumerate(axes) if d not in gone or shape[d] != 1)
    return Trace(tuple(left), call.field)


def _unsqueeze(call: Call) -> Trace:
    axes = list(call.first.axes)
    axes.insert(call.arguments["dim"] % call.result.ndim, ())
    return Trace(tuple(axes), call.field)


def _expand(call: Call) -> Trace:
    return Trace(call.agreed(), call.field)


def _select(call: Call) -> Trace:
    """One value of an axis: `select`, and what `unbind` gives of each."""
    before = call.first.axes
    dim = call.arguments["dim"] % len(before)
    index = call.number if call.name == "unbind" else call.arguments["index"]
    field = unless_inexact(call.field, UNKNOWN) if in_space(before[dim]) else call.field
    names, _ = tokens_of(before[dim]) or ((), None)
    token = names[index] if 0 <= index < len(names) else ""
    return Trace(without_gaps((*before[:dim], *before[dim + 1 :])), field, token)


def _slice(call: Call) -> Trace:
    dim = call.arguments["dim"] % call.input.ndim
    size = call.input.shape[dim]
    first = call.arguments["start"] or 0
    first = max(first + size, 0) if first < 0 else min(first, size)
    return _cut(call, dim, first, call.arguments["step"])


def _split(call: Call) -> Trace:
    dim = call.arguments["dim"] % call.input.ndim
    sizes = next(v for name, v in call.arguments.items() if name in ("split_size", "split_sizes"))
    first = sizes * call.number if isinstance(sizes, int) else sum(sizes[: call.number])
    return _cut(call, dim, first, 1)


def _glu(call: Call) -> Trace:
    return _cut(call, call.arguments["dim"] % call.input.ndim, 0, 1)


def _cut(call: Call, dim: int, first: int, step: int) -> Trace:
    """Every `step`th of an axis from `first` on."""
    axes = list(call.first.axes)
    size, before = call.result.shape[dim], axes[dim]
    if size == call.input.shape[dim]:
        return Trace(tuple(axes), call.field)
    field = call.field
    if (known := tokens_of(before)) is not None:
        axes[dim] = _some_tokens(*known, first, size, step)
        left = tokens_of(axes[dim])
        if left is None:
            return Trace(tuple(axes), unless_inexact(field, UNKNOWN))
        return Trace(tuple(axes), field, left[0][0] if size == 1 and left[0] else "")
    axes[dim] = resized_axis(before, size)
    if is_whole(before, "y"):
        field = field.window((1,), (step, 1), (-first, 0))
    elif is_whole(before, "x"):
        field = field.window((1,), (1, step), (0, -first))
    elif in_space(before):
        field = unless_inexact(field, UNKNOWN)
    return Trace(tuple(axes), field)


def _some_tokens(
    names: tuple[str, ...], grid: tuple[int, int] | None, first: int, size: int, step: int
) -> Axis:
    behind = first + size
    if step == 1 and behind <= len(names):
        return tokens(names[first:behind], None)
    if step == 1 and grid and behind == len(names) + grid[0] * grid[1] and first <= len(names):
        return tokens(names[first:], grid)
    return axis("?", size)


def _cat(call: Call) -> Trace:
    parts: Sequence[Tensor] = call.arguments["tensors"]
    dim = call.arguments["dim"] % call.result.ndim
    along = [trace.axes[dim] for t in parts if (trace := call.of(t)) is not None]
    axes = list(call.agreed())
    joined = _joined_tokens(call, dim)
    if joined is not None:
        axes[dim] = joined
        return Trace(tuple(axes), call.field)
    axes[dim] = resized_axis(tuple(atom for one in along for atom in one), call.result.shape[dim])
    field = (
        unless_inexact(call.field, UNKNOWN) if any(in_space(one) for one in along) else call.field
    )
    return Trace(tuple(axes), field)


def _joined_tokens(call: Call, dim: int) -> Axis | None:
    """Tokens put in front of a map's positions; None if it is something else."""
    names: tuple[str, ...] = ()
    grid: tuple[int, int] | None = None
    for part in call.arguments["tensors"]:
        trace = call.of(part)
        known = tokens_of(trace.axes[dim]) if trace is not None else None
        if known is None and (trace is None or not visible(trace.axes[dim])):
            kind = _kind(call.parameter(part))
            known = tuple(kind for _ in range(part.shape[dim])), None
        if known is None or (grid is not None and (known[0] or known[1])):
            return None
        names, grid = (*names, *known[0]), known[1]
    return tokens(names, grid) if names and (grid is not None) else None


def _kind(parameter: str) -> str:
    """What a parameter's name says of the tokens in it."""
    name = parameter.rpartition(".")[2].lower()
    for word, kind in (("reg", "register"), ("dist", "distillation"), ("storage", "register")):
        if word in name:
            return kind
    return "class" if "cl" in name or not name else "token"


def _stack(call: Call) -> Trace:
    dim = call.arguments["dim"] % call.result.ndim
    axes = list(call.first.axes)
    axes.insert(dim, axis("?", call.result.shape[dim]))
    return Trace(tuple(axes), call.field)


def _pad(call: Call) -> Trace:
    axes = list(call.first.axes)
    pairs: Sequence[int] = call.arguments["pad"]
    field = call.field
    for number in range(len(pairs) // 2):
        first, behind = pairs[2 * number : 2 * number + 2]
        place = len(axes) - 1 - number
        if not (first or behind):
            continue
        before, axes[place] = axes[place], resized_axis(axes[place], call.result.shape[place])
        if is_whole(before, "y"):
            field = field.shifted(first, 0)
        elif is_whole(before, "x"):
            field = field.shifted(0, first)
        elif in_space(before):
            field = unless_inexact(field, UNKNOWN)
    return Trace(tuple(axes), field)


def _chosen(call: Call) -> Trace:
    """Some of an axis, in any order."""
    dim = call.arguments["dim"] % call.result.ndim
    axes = list(call.first.axes)
    before, axes[dim] = axes[dim], resized_axis(axes[dim], call.result.shape[dim])
    if not is_whole(before, "u"):
        axes[dim] = axis("?", call.result.shape[dim])
        return Trace(tuple(axes), unless_inexact(call.field, UNKNOWN))
    return Trace(tuple(axes), call.field)


RULES: dict[str, Callable[[Call], Trace]] = {
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "_reshape_alias"), _view),
    "permute": _permute,
    "transpose": _transpose,
    "t": _transpose,
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "expand": _expand,
    "select": _select,
    "unbind": _select,
    "slice": _slice,
    "split": _split,
    "split_with_sizes": _split,
    "glu": _glu,
    "cat": _cat,
    "stack": _stack,
    "constant_pad_nd": _pad,
    "index_select": _chosen,
}
