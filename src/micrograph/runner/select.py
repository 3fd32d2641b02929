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

_PASSING_ON = frozenset({"input", "pool", "norm", "dropout", "identity", "flatten", "softmax"})
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
        if any(c in name for c in "*?["):
            # A glob means ids; aliases only where it fits no id, or `4*` would name nodes twice.
            fits = {id for id in nodes if fnmatchcase(id, name)}
            fits = fits or {node for alias, node in aliases.items() if fnmatchcase(alias, name)}
            fits = {id for id in fits if _has_own_units(nodes[id], nodes)}
            if not fits:
                raise not_found("node", name, nodes, where)
            chosen |= fits
        else:
            chosen.add(find_node(name, aliases, where))
    empty = [id for id in chosen if nodes[id].units <= 0]
    if empty:
        raise BadInput(f"node {empty[0]} of {where} has no units; choose another node")
    return [node for node in _ordered(nodes) if node.id in chosen]


def find_attached(model: "Model", names: Sequence[str]) -> None:
    """Attach the dictionaries that ship with the model and make nodes of these names.

    Raises NotFound for the name of a dictionary's node that is not there, saying what is needed.
    """
    for name in names:
        model.attach_bundled(name)
        base, _, own = name.rpartition(".")
        if own and name not in model.aliases and base in model.aliases:
            raise NotFound(
                f"unknown node {short(name)} in {model.id}; if a dictionary over {base} makes it, "
                f"give its file: --dictionary {base}.{own}=FILE, or model.attach in Python",
                [model.aliases[base]],
            )


def worth_seeing(nodes: Mapping[str, "Node"]) -> list["Node"]:
    """Nodes whose units are seen nowhere else, in graph order.

    Left out are pools, norms behind an activation and the like, and nodes whose one consumer shows
    the same units finished or among others: a convolution before its activation, a branch before
    its concatenation.
    """
    candidates = [n for n in _ordered(nodes) if _has_own_units(n, nodes)]
    consumers: dict[str, list[Node]] = {n.id: [] for n in candidates}
    for node in nodes.values():
        if node.kind in ATTACHED_KINDS:  # shows other units than those that it reads
            continue
        for parent in node.parents:
            if parent in consumers:
                consumers[parent].append(node)
    return [n for n in candidates if not _is_shown_by(consumers[n.id], n, nodes)]


def _has_own_units(node: "Node", nodes: Mapping[str, "Node"]) -> bool:
    """False for nodes that only pass on the units of the node before."""
    if node.kind == "norm":  # batch norm between a convolution and its ReLU makes new units
        before = [nodes[parent] for parent in node.parents]
        return not any(_is_activated(n) or n.kind in _PASSING_ON for n in before)
    return node.units > 0 and node.kind not in _PASSING_ON


def _is_activated(node: "Node") -> bool:
    """True if the values come out of an activation, as far as one can tell."""
    return bool(node.relus) or node.kind == "activation"


def _is_shown_by(
    consumers: Sequence["Node"], node: "Node", nodes: Mapping[str, "Node"]
) -> bool:
    if len(consumers) != 1:
        return False
    (consumer,) = consumers
    if len(consumer.parents) > 1:  # a concatenation has the units of all its parents together
        return consumer.units == sum(nodes[parent].units for parent in consumer.parents)
    return consumer.kind in ("norm", "activation") and not _is_activated(node)


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
