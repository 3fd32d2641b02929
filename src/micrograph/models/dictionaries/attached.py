"""Nodes that no module of a network computes: directions and dictionaries over another node."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from micrograph.address import Address
from micrograph.errors import BadInput, Conflict
from micrograph.models.dictionaries.dictionary import Dictionary
from micrograph.models.dictionaries.reading import directions, read
from micrograph.models.node import Node

Source = Dictionary | Tensor | Path | str


@dataclass(frozen=True)
class Attached:
    """A dictionary in its place: the node that its latents are the units of, and what they read."""

    node: Node
    base: Node
    dictionary: Dictionary

    def put(self, latents: Tensor, values: Tensor) -> Tensor:
        """The base's `values` [batch, unit, ...] with `latents` in place of theirs.

        What the dictionary does not explain of them stays. The batch of one may be 1.
        """
        there = self.dictionary.values(values)
        return values + self.dictionary.change(latents - there, like=values).to(values)


def attach(
    source: Source,
    base: Node,
    name: str,
    *,
    index: int,
    taken: Mapping[str, str],
    known: Mapping[str, Attached],
) -> Attached:
    """`source` over the values of `base`, as node number `index` with the id `<base>.<name>`.

    `taken` are the spellings of the nodes there are. Raises BadInput where it does not fit, and
    Conflict where the id is taken by something else.
    """
    if base.id in known:
        raise BadInput(f"{base.id} is made by a dictionary itself; attach to a node of the network")
    id = f"{base.id}.{name}"
    Address("model", id)
    if isinstance(source, Dictionary):
        dictionary = source
    elif isinstance(source, Tensor):
        dictionary = directions(source, base.units)
    else:
        dictionary = read(Path(source), base.units)
    if dictionary.units != base.units:
        raise BadInput(
            f"a dictionary over {dictionary.units} units does not fit {base.id}, which has "
            f"{base.units}; attach it to the node that it was made for"
        )
    if id in known:
        there = known[id].dictionary
        if there.digest != dictionary.digest:
            raise Conflict(
                f"{id} is attached already, from another dictionary ({there.digest[:12]}, not "
                f"{dictionary.digest[:12]}); give this one another name"
            )
        return known[id]
    if id in taken:
        raise Conflict(f"{id} stands for {taken[id]} already; give the dictionary another name")
    node = replace(  # the rest is as in the base: that is what is reached for it
        base,
        id=id,
        index=index,
        kind=dictionary.kind,
        units=dictionary.latents,
        parents=(base.id,),
        relus=(),
        aliases=tuple(f"{alias}.{name}" for alias in base.aliases if "#" not in alias),
    )
    return Attached(node, base, dictionary)


def spellings(attached: Iterable[Attached]) -> dict[str, str]:
    """Every accepted spelling of these nodes with the id that it stands for."""
    found: dict[str, str] = {}
    for one in attached:
        for alias in (one.node.id, *one.node.aliases):
            found.setdefault(alias, one.node.id)
    return found
