"""From watched module outputs to named nodes."""

import re
from collections.abc import Callable, Sequence

from torch import nn

from micrograph.models.graph import Value
from micrograph.models.node import Node

_KINDS: tuple[tuple[str, tuple[type[nn.Module], ...]], ...] = (
    ("conv", (nn.modules.conv._ConvNd,)),
    ("linear", (nn.Linear,)),
    (
        "pool",
        (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LPPool2d),
    ),
    (
        "norm",
        (
            nn.modules.batchnorm._BatchNorm,
            nn.GroupNorm,
            nn.LayerNorm,
            nn.LocalResponseNorm,
            nn.InstanceNorm2d,
        ),
    ),
    ("activation", (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.Hardswish, nn.Sigmoid)),
)
_CLASS_WORDS = {"inception": "inception", "mixed": "inception", "fire": "fire"}
_MADE_BY = {"cat": "cat", "add": "add"}


def kind_of(value: Value) -> str:
    """A plain word: what the module says of itself (`kind`), what it is, or what made the value."""
    if value.is_output and not value.shape:
        said = getattr(value.calls[-1][2], "kind", None)  # the network itself
        return said if isinstance(said, str) else "logits"
    modules = [module for _, _, module in value.calls]
    for module in modules:
        if isinstance(said := getattr(module, "kind", None), str):
            return said
    for kind, classes in _KINDS:
        if any(isinstance(m, classes) for m in modules):
            return kind
    for module in modules:
        for word, kind in _CLASS_WORDS.items():
            if word in type(module).__name__.lower():
                return kind
    return _MADE_BY.get(value.origin.made_by, "other")


def default_id(path: str) -> str:
    """A module path in letters that an address allows."""
    return re.sub(r"[^A-Za-z0-9_.\-]|\A[.\-]", "_", path)


def _spelling(path: str, call: int) -> str:
    return f"{path}#{call}" if call else path


def _shortest(value: Value) -> tuple[str, int]:
    """Path and call under which a value is known; the network itself ("") only if nothing else."""
    named = [(path, call) for path, call, _ in value.calls if path]
    return min(named, key=lambda c: (c[0].count("."), len(c[0]))) if named else ("", 0)


def name_nodes(
    values: Sequence[Value],
    node_id: Callable[[str], str | None] = default_id,
    aliases: Callable[[str], tuple[str, ...]] = lambda node: (),
) -> tuple[dict[str, Node], dict[str, str]]:
    """Nodes by id in graph order, and every accepted spelling with the id that it stands for.

    A module's k-th call (k > 0) is the node `<id>-<k>`, also written `<path>#<k>`. The network's
    own output is the node `output` unless a module inside gave it.
    """
    ids: dict[int, str] = {}
    for number, value in enumerate(values):
        path, call = _shortest(value)
        name = node_id(path) if path else "output"
        if name is None:
            continue
        name = f"{default_id(name)}-{call}" if call else default_id(name)
        while name in ids.values():
            name += "-"
        ids[number] = name

    nodes: dict[str, Node] = {}
    for number, name in ids.items():
        value = values[number]
        also = [_spelling(path, call) for path, call, _ in value.calls if path]
        nodes[name] = Node(
            id=name,
            index=len(nodes),
            kind=kind_of(value),
            units=value.units,
            shape=value.shape,
            receptive_field=value.origin.field.as_square(),
            parents=tuple(ids[n] for n in _visible_parents(values, number, ids)),
            path=_spelling(*_shortest(value)),
            aliases=tuple(dict.fromkeys(a for a in (*aliases(name), *also) if a != name)),
            relus=value.origin.relus,
            overwritten=value.overwritten,
        )
    known = {name: name for name in nodes}
    for node in nodes.values():
        for alias in node.aliases:
            known.setdefault(alias, node.id)
    return nodes, known


def _visible_parents(values: Sequence[Value], number: int, ids: dict[int, str]) -> list[int]:
    """The nearest values upstream that are nodes, in order; hidden ones are looked through."""
    found: set[int] = set()
    seen: set[int] = set()
    todo = list(values[number].origin.calls)
    while todo:
        n = todo.pop()
        if n in seen:
            continue
        seen.add(n)
        if n in ids:
            found.add(n)
        else:
            todo += values[n].origin.calls
    return sorted(found)
