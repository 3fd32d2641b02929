"""Which nodes and units a command means."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from micrograph.address import find_node, parse_units
from micrograph.errors import BadInput, NotFound, not_found, short
from micrograph.models.dictionaries import ATTACHED_KINDS

if TYPE_CHECKING:
    from micrograph.models.model import Model
    from micrograph.models.node import Node

_PASSING_ON = frozenset(
    {"input", "pool", "norm", "dropout", "identity", "flatten", "softmax", "scale", "rectified"}
)
"""Kinds whose units are those of the node before, in other places or on another scale."""


def choose_nodes(
    nodes: Mapping[str, "Node"], names: Sequence[str] | None, where: str = ""
) -> list["Node"]:
    """The nodes that `names` (ids, aliases, globs such as `inception_4*`) mean, in graph order.

    Without names: those worth seeing, see `worth_seeing`. Raises NotFound for a name that fits
    none, with close names, and BadInput for a node without units.
    """
    if not names:
        return worth_seeing(nodes)
    aliases = {alias: node.id for node in nodes.values() for alias in node.aliases}
    aliases |= {id: id for id in nodes}
    chosen: set[str] = set()
    for name in names:
        if _is_glob(name):
            # A glob means ids; aliases only where it fits no id, or `4*` would name nodes twice.
            fits = {id for id in nodes if fnmatchcase(id, name)}
            fits = fits or {node for alias, node in aliases.items() if fnmatchcase(alias, name)}
            fits = {id for id in fits if _is_meant(nodes[id], name)}
            if not fits:
                raise not_found("node", name, nodes, where)
            own = {id for id in fits if _has_own_units(nodes[id], nodes)}
            chosen |= own or fits
        else:
            chosen.add(find_node(name, aliases, where))
    empty = [id for id in chosen if nodes[id].units <= 0]
    if empty:
        raise BadInput(f"node {empty[0]} of {where} has no units; choose another node")
    return [node for node in _ordered(nodes) if node.id in chosen]


def _is_glob(name: str) -> bool:
    return any(c in name for c in "*?[")


def find_attached(model: "Model", names: Sequence[str]) -> None:
    """Attach the dictionaries that ship with the model and make nodes of these names.

    Raises NotFound for the name of a dictionary's node that is not there, saying what is needed.
    """
    for name in names:
        model.attach_bundled(name)
        base, _, own = name.rpartition(".")
        known = name in model.aliases or _is_glob(name)
        if own and not known and base in model.aliases:
            raise NotFound(
                f"unknown node {short(name)} in {model.id}; if a dictionary over {base} makes it, "
                f"give its file: --dictionary {base}.{own}=FILE, or model.attach in Python",
                [model.aliases[base]],
            )


def worth_seeing(nodes: Mapping[str, "Node"]) -> list["Node"]:
    """Nodes whose units are seen nowhere else, in graph order.

    Left out are pools, norms behind an activation and the like, and nodes whose one consumer shows
    the same units finished or among others: a convolution before its activation, a branch before
    its concatenation, a summand before a sum. Left out, too, are the insides of attention, single
    tokens, and sums and concatenations that no module makes: blocks show them.
    """
    candidates = {n.id: n for n in _ordered(nodes) if _has_own_units(n, nodes)}
    return [
        n
        for n in candidates.values()
        if not (n.kind == "token" or n.join or (n.kind == "attention" and n.shape))
        and not _is_shown_by(_consumers(n, nodes), n, nodes, candidates)
    ]


def _consumers(node: "Node", nodes: Mapping[str, "Node"]) -> list["Node"]:
    """What reads a node, seen through what only scales it."""
    found: list[Node] = []
    for reader in _readers(node, nodes):
        passing = reader.kind in ("scale", "dropout", "identity")
        found += _consumers(reader, nodes) if passing else [reader]
    return found


def _readers(node: "Node", nodes: Mapping[str, "Node"]) -> list["Node"]:
    """Nodes that show other units than those they read do not count, nor do single tokens."""
    left_out = (*ATTACHED_KINDS, "token")
    return [n for n in nodes.values() if node.id in n.parents and n.kind not in left_out]


def _is_meant(node: "Node", glob: str) -> bool:
    """Single tokens are meant by globs that end as their ids do: `blocks.*.class`."""
    return node.kind != "token" or glob.endswith(node.id.rpartition(".")[2])


def _has_own_units(node: "Node", nodes: Mapping[str, "Node"]) -> bool:
    """False for nodes that only pass on the units of the node before."""
    if node.kind == "norm":  # batch norm between a convolution and its ReLU makes new units
        before = [nodes[parent] for parent in node.parents]
        return all(
            n.kind in ("conv", "linear") and not _is_activated(n) and _readers(n, nodes) == [node]
            for n in before
        )
    return node.units > 0 and node.kind not in _PASSING_ON


def _is_activated(node: "Node") -> bool:
    """True if the values come out of an activation, as far as one can tell."""
    return bool(node.relus) or node.kind == "activation"


def _is_shown_by(
    consumers: Sequence["Node"],
    node: "Node",
    nodes: Mapping[str, "Node"],
    candidates: Mapping[str, "Node"],
) -> bool:
    if len(consumers) != 1 or _is_activated(node):
        return len(consumers) == 1 and _joins(consumers[0], nodes) == "cat"
    (consumer,) = consumers
    if len(consumer.parents) > 1:
        return bool(_joins(consumer, nodes))
    return consumer.id in candidates and consumer.kind in ("norm", "activation")


def _joins(node: "Node", nodes: Mapping[str, "Node"]) -> str:
    """How a node shows the units of all its parents: "cat", "add", or "" if it makes others."""
    units = [nodes[parent].units for parent in node.parents]
    if len(units) > 1 and node.units == sum(units):
        return "cat"
    same = len(units) > 1 and all(count == node.units for count in units)
    return "add" if same and node.kind in ("add", "activation", "block") else ""


def choose_units(node: "Node", units: str | None, largest: int) -> list[int]:
    """The units of `node` that the text means; all without one.

    `largest` is the number of units of the largest chosen node: a selection must fit that one, and
    of smaller nodes it means those that they have.
    """
    if units is None:
        return list(range(node.units))
    return [unit for unit in parse_units(units, largest) if unit < node.units]


def _ordered(nodes: Mapping[str, "Node"]) -> list["Node"]:
    return sorted(nodes.values(), key=lambda node: node.index)
