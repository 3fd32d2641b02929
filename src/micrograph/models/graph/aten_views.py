"""Rules of `aten` for what rearranges, cuts and joins."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from micrograph.models.graph.aten_call import (
    Call,
    Trace,
    axes_meant,
    resized_axis,
    unless_inexact,
)
from micrograph.models.graph.axes import (
    LOOSE,
    Axes,
    Axis,
    Tokens,
    agreed,
    all_of,
    axis,
    has,
    in_space,
    is_whole,
    moved_axis,
    regrouped,
    size_of,
    tokens,
    tokens_of,
    unknown,
    visible,
    without_gaps,
)
from micrograph.models.graph.places import chosen, nowhere
from micrograph.models.graph.receptive_field import (
    NO_UNITS,
    UNKNOWN,
    Field,
    FullUnits,
    Span,
    differ,
    union,
)
from micrograph.models.graph.seen import NONE, Indices, joined


def _view(call: Call) -> Trace:
    axes, field = regrouped(call.first.axes, call.result.shape), call.field
    if field.full is not None and (dealt := _dealt_out(call.first.axes, axes)) is not None:
        field = replace(field, full=field.full.shuffled(*dealt))
    return Trace(axes, field)


def _dealt_out(before: Axes, after: Axes) -> tuple[int, int] | None:
    """Blocks of units, and their size, if a view joins units that were dealt out in turn (the
    channel shuffle); None where their order stays."""
    digits = [a for one in before for a in visible(one) if a.role == "u"]
    if sorted(digits, key=lambda a: -a.stride) == digits:
        return None
    if len(digits) != 2 or not any(is_whole(one, "u") for one in after):
        return None if not any(is_whole(one, "u") for one in after) else (0, 0)
    low, high = digits
    return high.size, low.size


def _strided(call: Call) -> Trace:
    """`as_strided` where it changes nothing: a mean over all positions of a map with units last
    gives its axes of one place other strides. What else it may be used for is not followed."""
    given, shape = call.first.axes, call.input.shape
    size, stride = call.arguments["size"], call.arguments["stride"]
    steps = zip(shape, stride, call.input.stride(), strict=False)
    same = tuple(size) == tuple(shape) and all(n == 1 or a == b for n, a, b in steps)
    if same and call.arguments["storage_offset"] in (None, call.input.storage_offset()):
        return Trace(given, call.field)
    return Trace(unknown(size), UNKNOWN)


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
    index %= call.input.shape[dim]
    field = chosen(call.field, before, before[dim], index)
    names, _, behind = tokens_of(before[dim]) or ((), None, ())
    token = names[index] if index < len(names) else ""
    last = call.input.shape[dim] - index
    token = behind[-last] if last <= len(behind) else token
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
        axes[dim] = _some_tokens(known, first, size, step)
        left = tokens_of(axes[dim])
        if left is None:
            return Trace(tuple(axes), unless_inexact(field, UNKNOWN))
        field = field if left[1] else nowhere(field)
        kinds = set(left[0])
        return Trace(tuple(axes), field, kinds.pop() if not left[1] and len(kinds) == 1 else "")
    inner = size_of(before[1:])
    if before and before[0].role == "o" and size % inner == first % inner == 0 and step == 1:
        some = size // inner  # of the things that lie side by side
        axes[dim] = (*axis("o", some), *before[1:]) if some > 1 else before[1:]
        return Trace(tuple(axes), field.of_some_units())
    if _is_digit_of_units(before):  # such as the queries' part of what each head has
        axes[dim] = (replace(before[0], size=size),)
        return Trace(without_gaps(tuple(axes)), field.of_some_units())
    axes[dim] = resized_axis(before, size)
    if is_whole(before, "u") and step == 1:
        return Trace(tuple(axes), field.of_some_units(first, size))
    positions = first + step * np.arange(size)
    return Trace(tuple(axes), _taken(field, before, positions, step, first))


def _is_digit_of_units(given: Axis) -> bool:
    return len(given) == 1 and given[0].role == "u" and not given[0].whole


def _taken(
    field: Field, before: Axis, positions: Indices, stride: int = 0, start: int = 0
) -> Field:
    """The field where some positions of an axis were taken (see `Span.taken`)."""
    for role in "yx":
        if all_of(before, role):
            return field.along(role, field.span(role).taken(positions, stride, start))
    if any(a.role in "uo" for a in before):
        all_there = len(np.unique(positions[positions != NONE])) == size_of(before)
        if all_there and field.full is not None:
            return replace(field, full=NO_UNITS)
        return field.of_some_units()
    return unless_inexact(field, UNKNOWN) if in_space(before) else field


def _some_tokens(known: Tokens, first: int, size: int, step: int) -> Axis:
    """Tokens `first`, `first + step`, ... of an axis; of a map's positions all or none."""
    names, grid, behind = known
    start = len(names)
    end = start + (math.prod(grid) if grid else 0)
    stop = first + step * (size - 1) + 1
    if step == 1 and grid and first <= start and stop >= end:
        return tokens(names[first:], grid, behind[: stop - end])
    if stop <= start:
        return tokens(names[first:stop:step], None)
    if first >= end:
        return tokens(behind[first - end : stop - end : step], None)
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
    field, size = call.field, call.result.shape[dim]
    if any(has([one], "b") for one in along):  # pictures beside pictures
        alike = len(along) == len(parts) and len(set(along)) == 1
        axes[dim] = (*axis("o", len(parts)), *along[0]) if alike else axis("?", size)
        return Trace(tuple(axes), _side(call, parts, None))
    axes[dim] = resized_axis(tuple(atom for one in along for atom in one), size)
    role = next((r for r in "yx" if all(is_whole(one, r) for one in along)), "")
    if role and _is_in_disorder(call, parts, dim, role):
        axes[dim] = axis("o", size)  # no map of the picture: a convolution would mix what is apart
        field = unless_inexact(field, UNKNOWN)
    elif role:
        axes[dim] = axis(role, size)
        field = _side_by_side(call, parts, dim, role)
    elif any(in_space(one) for one in along):
        field = unless_inexact(field, UNKNOWN)
    else:
        field = _side(call, parts, dim)
    return Trace(tuple(axes), field)


def _side(call: Call, parts: Sequence[Tensor], dim: int | None) -> Field:
    """The field of things side by side that are no positions, such as units of several branches
    along the axis `dim`."""
    fields = [trace.field for t in parts if (trace := call.of(t)) is not None]
    if len(fields) == len(parts) and not differ(fields) and not any(f.full for f in fields):
        return call.field
    first, full = 0, NO_UNITS
    for part in parts:
        trace, count = call.of(part), 0 if dim is None else part.shape[dim]
        if trace is not None and not differ([trace.field, call.field]):
            own = trace.field.full or FullUnits(0, count)
            full = FullUnits(first + own.begin, first + own.end, own.run)
        first += count
    return replace(call.field, full=full)


def _side_by_side(call: Call, parts: Sequence[Tensor], dim: int, role: str) -> Field:
    """The field of maps put below or beside each other; constants among them see nothing."""
    other = "x" if role == "y" else "y"
    fields = [trace.field for t in parts if (trace := call.of(t)) is not None]
    spans = [f.span(role) for f in fields]
    seen = spans[0].seen
    field = union([f.along(role, spans[0]) for f in fields])
    if seen is None or field.status != "exact" or any(s.seen is None for s in spans):
        return unless_inexact(field, UNKNOWN)
    pieces = []
    for t in parts:
        trace = call.of(t)
        own = trace.field.span(role).seen if trace is not None else None
        pieces.append(own or seen.taken(np.full(t.shape[dim], NONE)))
    return Field().along(other, field.span(other)).along(role, Span().as_seen(joined(pieces)))


def _is_in_disorder(call: Call, parts: Sequence[Tensor], dim: int, role: str) -> bool:
    """Whether what the positions see goes to and fro where parts are put beside each other: halves
    exchanged, every other row after the rest, a map twice. Not so where one part is most of the
    whole and the others are of what it sees: a map with some of it around it, as in circular
    padding."""
    traces = [trace for part in parts if (trace := call.of(part)) is not None]
    pieces = [trace.field.span(role).seen for trace in traces]
    known = [one for one in pieces if one is not None]
    if len(known) < len(pieces):
        return False
    largest = max(known, key=lambda one: one.count)
    together = joined(known)
    there = together.last >= 0
    first, last = together.first[there], together.last[there]
    inside = len(first) and first.min() >= largest.first.min() and last.max() <= largest.last.max()
    if 2 * largest.count > sum(part.shape[dim] for part in parts) and inside:
        return False
    return bool((np.diff(first) < 0).any() or (np.diff(last) < 0).any())


def _joined_tokens(call: Call, dim: int) -> Axis | None:
    """Tokens put before and behind a map's positions; None if it is something else."""
    names: tuple[str, ...] = ()
    grid: tuple[int, int] | None = None
    behind: tuple[str, ...] = ()
    for part in call.arguments["tensors"]:
        trace = call.of(part)
        known = tokens_of(trace.axes[dim]) if trace is not None else None
        if known is None and (trace is None or not visible(trace.axes[dim])):
            kind = _kind(call.parameter(part))
            known = tuple(kind for _ in range(part.shape[dim])), None, ()
        if known is None or (grid is not None and known[1] is not None):
            return None
        if grid is None:
            names, grid, behind = (*names, *known[0]), known[1], known[2]
        else:
            behind = (*behind, *known[0])
    if grid is None and LOOSE not in names:
        return None
    return tokens(names, grid, behind) if names or behind else None


def _kind(parameter: str) -> str:
    """What a parameter's name says of the tokens in it."""
    name = parameter.rpartition(".")[2].lower()
    for word, kind in (("reg", "register"), ("dist", "distillation"), ("storage", "register")):
        if word in name:
            return kind
    return "class" if "cl" in name or not name else "token"


def _stack(call: Call) -> Trace:
    dim = call.arguments["dim"] % call.result.ndim
    rank = call.result.ndim - 1
    axes = list(_agreed_of_parts(call, rank))
    axes.insert(dim, axis("o", call.result.shape[dim]))
    return Trace(tuple(axes), _side(call, call.arguments["tensors"], None))


def _agreed_of_parts(call: Call, rank: int) -> Axes:
    """The axes on which tensors of one shape agree."""
    found = (
        agreed([trace.axes[d] for _, trace in call.inputs], call.input.shape[d])
        for d in range(rank)
    )
    return tuple(found)


def _chosen(call: Call) -> Trace:
    """`index_select`."""
    return some_of(call, call.arguments["dim"] % call.input.ndim, call.arguments["index"])


def some_of(call: Call, dim: int, index: Tensor) -> Trace:
    """Some of an axis, in any order."""
    if call.of(index) is not None or not call.first.axes:  # which ones depends on the picture
        return _moved(call, dim)
    axes = list(call.first.axes)
    positions = index.reshape(-1).cpu().numpy() % call.input.shape[dim]
    if in_space(axes[dim]) and (np.diff(positions) < 0).any():  # no longer side by side
        return _moved(call, dim)
    before, axes[dim] = axes[dim], resized_axis(axes[dim], call.result.shape[dim])
    return Trace(tuple(axes), _taken(call.field, before, positions))


def _moved(call: Call, *dims: int) -> Trace:
    """Values along some axes change places, or mix, in a way that is not followed further."""
    given = call.first.axes
    # "o": a convolution that follows does not make a map of places that are known to have changed.
    roles = ["o" if in_space(a) else "?" for a in given]
    shape = call.result.shape
    axes = tuple(axis(roles[d], shape[d]) if d in dims else a for d, a in enumerate(given))
    places = any(in_space(given[d]) for d in dims)
    return Trace(axes, unless_inexact(call.field, UNKNOWN) if places else call.field)


def _rearranged(call: Call) -> Trace:
    """`flip` and `roll`: all that is there, at other places of the same axes."""
    dims = axes_meant(call.arguments["dims"], call.input.ndim)
    if call.name == "roll" and not call.arguments["dims"]:  # as one long row
        return _moved(call, *dims)
    shifts = call.arguments.get("shifts", 0)
    shifts = [shifts] * len(dims) if isinstance(shifts, int) else list(shifts)
    axes, field = list(call.first.axes), call.field
    for d, shift in zip(dims, shifts, strict=True):
        positions = np.arange(call.input.shape[d])
        positions = positions[::-1] if call.name == "flip" else np.roll(positions, shift)
        field = _taken(field, axes[d], positions)
        moved = moved_axis(axes[d], -1 if call.name == "flip" else 1, shift)
        if moved is not None:
            axes[d] = moved
        elif not is_whole(axes[d], "u"):
            axes[d] = axis("?", call.input.shape[d])
    return Trace(tuple(axes), field)


def _rotated(call: Call) -> Trace:
    """`rot90`: rows become columns."""
    if call.arguments.get("k", 1) % 4 == 0:
        return Trace(call.first.axes, call.field)
    return _moved(call, *axes_meant(call.arguments.get("dims", (0, 1)), call.input.ndim))


def _cumulated(call: Call) -> Trace:
    """Each value of an axis sees those before it."""
    given = call.first.axes
    dim = call.arguments["dim"] % len(given) if given else 0
    if not given or not any(is_whole(given[dim], role) for role in "uyx"):
        return _moved(call, dim)
    positions = np.arange(call.input.shape[dim])
    table = np.where(positions <= positions[:, None], positions, NONE)
    return Trace(given, _taken(call.field, given[dim], table))


RULES: dict[str, Callable[[Call], Trace]] = {
    "as_strided": _strided,
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
    "index_select": _chosen,
    **dict.fromkeys(("flip", "roll"), _rearranged),
    "rot90": _rotated,
    **dict.fromkeys(("cumsum", "cumprod", "logcumsumexp"), _cumulated),
}
