"""Which nodes and units a command means."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from operator import index
from typing import TYPE_CHECKING, Any

from micrograph.address import find_node, parse_units
from micrograph.errors import BadInput, NotFound, not_found, short
from micrograph.graph import NodeKind, with_own_units, worth_seeing

if TYPE_CHECKING:
    from micrograph.models.model import Model
    from micrograph.models.node import Node


def choose_nodes(
    nodes: Mapping[str, "Node"], names: Sequence[str] | None, where: str = ""
) -> list["Node"]:
    """The nodes that `names` (ids, aliases, globs such as `inception_4*`) mean, in graph order.

    Without names: those that are `worth_seeing`. Raises NotFound for a name that fits none, with
    close names, and BadInput for a node without units.
    """
    if not names:
        if not (found := worth_seeing(nodes)):
            raise BadInput(_nothing_to_see(nodes, where))
        return found
    aliases = {alias: node.id for node in nodes.values() for alias in node.aliases}
    aliases |= {id: id for id in nodes}
    chosen: set[str] = set()
    making = {node.id for node in with_own_units(nodes)}
    for name in names:
        if _is_glob(name):
            # A glob means ids; aliases only where it fits no id, or `4*` would name nodes twice.
            fits = {id for id in nodes if fnmatchcase(id, name)}
            fits = fits or {node for alias, node in aliases.items() if fnmatchcase(alias, name)}
            fits = {id for id in fits if _is_meant(nodes[id], name)}
            if not fits:
                raise not_found("node", name, nodes, where)
            chosen |= (fits & making) or fits
        else:
            chosen.add(find_node(name, aliases, where))
    empty = [id for id in chosen if nodes[id].units <= 0]
    if empty:
        raise BadInput(f"node {empty[0]} of {where} has no units; choose another node")
    return [node for node in _ordered(nodes) if node.id in chosen]


def _nothing_to_see(nodes: Mapping[str, "Node"], where: str) -> str:
    if nodes:
        return f"no node of {where} is worth seeing; name one: {', '.join(list(nodes)[:8])}"
    return (
        f"{where} has no nodes: none of its modules gives a tensor whose units could be told; wrap "
        "it in a module whose parts give [batch, unit, y, x] or [batch, unit]"
    )


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


def _is_meant(node: "Node", glob: str) -> bool:
    """Single tokens are meant by globs that end as their ids do: `blocks.*.class`."""
    return not NodeKind.of(node.kind).is_token or glob.endswith(node.id.rpartition(".")[2])


def as_names(what: str, given: object) -> list[str]:
    """One name or several as a list, each once: texts, and nodes themselves. Raises BadInput for
    anything else."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    names = [_name(one) for one in (list(given) if several else [given])]  # type: ignore[call-overload]
    found = [name for name in names if name is not None]
    if len(found) < len(names):
        raise BadInput(f"{what} {short(given)} not understood; expected a name, or a list of names")
    return list(dict.fromkeys(found))


def _name(given: object) -> str | None:
    named = given if isinstance(given, str) else getattr(given, "id", None)
    return str(named) if isinstance(named, str) else None


def as_selection(units: str | int | Iterable[int | str]) -> str:
    """Units as the text of a selection. Raises BadInput for what names none."""
    if isinstance(units, str):
        return units
    try:
        if isinstance(units, Iterable) and getattr(units, "ndim", 1) > 0:
            units = list(units)
            if units and all(isinstance(unit, str) for unit in units):
                return ",".join(map(str, units))
        numbers = _numbers(units)
    except TypeError:  # something else than whole numbers
        numbers = []
    if not numbers:
        raise BadInput(
            f"units {short(units)} not understood; expected a text such as 0-63 or 3,17,40-, a "
            "number, or a list of numbers"
        )
    return ",".join(str(number) for number in numbers)


def _numbers(units: Any) -> list[int]:
    """One whole number or several as a list; also those of numpy and torch. Raises TypeError."""
    given = units if isinstance(units, list) else [units]
    if any(isinstance(unit, bool) for unit in given):
        raise TypeError
    return [index(unit) for unit in given]


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
