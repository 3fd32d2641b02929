"""Which values may be the same for every picture: tokens before attention showed them any."""

from collections.abc import Sequence

from micrograph.models.graph.aten_call import ALL
from micrograph.models.graph.values import Source, Value


def perhaps_constant(values: Sequence[Value], kinds: Sequence[str]) -> frozenset[Source]:
    """Values, and tokens of these kinds, to which no way from the picture is known. It may be there
    all the same: a class token can be the mean of a map."""
    found: set[Source] = set()
    for number, value in enumerate(values):
        sources = value.origin.sources_of("")
        for kind in kinds:
            own = value.origin.sources_of(kind)
            if kind in value.tokens and all(_unseen(s, kind, values, found) for s in own):
                found.add((number, kind))
        if sources and all(source in found for source in sources):
            found.add((number, ""))
    return frozenset(found)


def _unseen(source: Source, kind: str, values: Sequence[Value], found: set[Source]) -> bool:
    """Whether a token of that kind has nothing of the picture from this source."""
    number, token = source
    if token == ALL:
        return False
    if token in values[number].tokens:
        return source in found
    if token:
        return bool(values[number].shape)  # a map: the token was put before it later
    if kind in values[number].tokens:
        return (number, kind) in found
    return bool(values[number].shape) or (number, "") in found
