"""Where the tokens of each kind come from, where that differs: a class token that was put before
the positions of a map does not come from that map."""

import math
from collections.abc import Sequence

from torch import Tensor

from micrograph.models.graph.aten_call import ALL, Call, Trace
from micrograph.models.graph.axes import has, tokens_of

Sources = frozenset[tuple[int, str]]
"""Numbers of values, each with the kind of its tokens that is meant (see `watching.Source`)."""

KindSources = tuple[tuple[str, Sources], ...]
"""The sources of each kind of token, and of the positions (""). Empty where all have the same."""


def of_kind(kind: str, sources: Sources, kinds: KindSources) -> Sources:
    """The sources of the tokens of one kind, or of the positions ("")."""
    return dict(kinds).get(kind, sources)


def sources_after(
    call: Call, found: Trace, given: Sequence[tuple[Tensor, Sources, KindSources]]
) -> tuple[Sources, KindSources]:
    """The sources of what a call gave, whose trace was `found`; `given` are those of its inputs."""
    every = frozenset[tuple[int, str]]().union(*(sources for _, sources, _ in given))
    mixed = found.token == ALL or (
        found.field.status == "whole input" and call.field.status != "whole input"
    )
    if call.name == "cat" and not mixed:
        return every, _beside_each_other(call, found, given)
    names = {name for *_, kinds in given for name, _ in kinds}
    if mixed or not names:
        return every, ()
    merged = tuple(
        (name, frozenset[tuple[int, str]]().union(*(of_kind(name, s, k) for _, s, k in given)))
        for name in sorted(names)
    )
    if found.token:
        return of_kind(found.token, every, merged), ()
    if has(found.axes, "t"):
        return every, merged
    if has(found.axes, "y") and has(found.axes, "x"):  # the positions are left
        return of_kind("", every, merged), ()
    return every, ()


def _beside_each_other(
    call: Call, found: Trace, given: Sequence[tuple[Tensor, Sources, KindSources]]
) -> KindSources:
    """Of tokens put beside each other: each comes from its own part."""
    dim = call.arguments["dim"] % call.result.ndim
    known = tokens_of(found.axes[dim])
    if known is None or not (known[0] or known[2]) or known[1] is None:
        return ()
    before, grid, after = known
    names = (*before, *[""] * math.prod(grid or ()), *after)
    kinds, offset = dict[str, Sources](), 0
    for part in call.arguments["tensors"]:
        behind = offset + part.shape[dim]
        own = set(names[offset:behind])
        offset = behind
        for tensor, sources, of_part in given:
            if tensor is part:
                for name in own:
                    more = of_kind(name, sources, of_part)
                    kinds[name] = kinds.get(name, frozenset()) | more
    return tuple(sorted({"": frozenset(), **dict.fromkeys(names, frozenset()), **kinds}.items()))
