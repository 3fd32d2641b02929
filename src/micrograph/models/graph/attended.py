"""Which values lie inside attention: queries, keys, values, and what only they are made of."""

from collections.abc import Mapping, Sequence

from micrograph.models.graph.flow import ACTIVATIONS
from micrograph.models.graph.values import Value


def inside_attention(values: Sequence[Value]) -> Mapping[int, str]:
    """The numbers of the values that attention reads, and nothing outside the module in which that
    happens; each with that module.

    They must be made in there, too: what comes from outside, such as the map that a head attends
    to, has units that mean something without it. So have those behind an activation.
    """
    readers: dict[int, list[tuple[int, Value]]] = {}
    for number, value in enumerate(values):
        for source in value.origin.numbers:
            readers.setdefault(source, []).append((number, value))
    found: dict[int, str] = {}
    for number, value in reversed([*enumerate(values)]):
        read = readers.get(number, ())
        modules = value.attending | {found[reader] for reader, _ in read if reader in found}
        others = [
            one
            for reader, one in read
            if reader not in found and number not in one.origin.flow.attended
        ]
        within = all(_is_in(m, one) for m in modules for one in (value, *others))
        activated = all(number in one.origin.flow.activated for _, one in read)
        if modules and within and not (activated or _is_activated(value)):
            found[number] = max(modules, key=len)
    return found


def is_attention_output(value: Value) -> bool:
    """Whether all that a value is made of came through attention."""
    return bool(value.origin.numbers) and value.origin.numbers <= value.origin.flow.attended


def _is_in(module: str, value: Value) -> bool:
    """Whether a value is made in the module of that path, the network itself being none."""
    place = value.producers[0].place
    inside = place.path.startswith(f"{module}.") or (place.path == module and bool(place.join))
    return bool(module) and inside


def _is_activated(value: Value) -> bool:
    return bool(value.origin.relus) or value.origin.operation in ACTIVATIONS
