"""Nodes that no module of a network computes: directions and dictionaries over another node."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from micrograph.address import Address
from micrograph.errors import BadInput, Conflict
from micrograph.models.dictionaries.dictionary import Dictionary
from micrograph.models.dictionaries.hooks import Hooks
from micrograph.models.dictionaries.options import check_options
from micrograph.models.dictionaries.placing import doubts, proposed
from micrograph.models.dictionaries.reading import ReadFile, directions
from micrograph.models.node import Node

Source = Dictionary | Tensor | Path | str


@dataclass(frozen=True)
class Attached:
    """A dictionary in its place: the node that its latents are the units of, and what they read.

    A transcoder `writes` another node than it reads.
    """

    node: Node
    base: Node
    dictionary: Dictionary
    writes: Node
    notes: tuple[str, ...] = ()
    """What to know of it before anything is rendered."""

    @property
    def transcodes(self) -> bool:
        """Whether it writes another node than it reads."""
        return self.writes.id != self.base.id

    def put(self, latents: Tensor, values: Tensor, read: Tensor | None = None) -> Tensor:
        """`values` [batch, unit, ...] of what it writes, with `latents` in place of theirs.

        What the dictionary does not explain of them stays. `read` are the values that it reads,
        where these are others. The batch of one may be 1.
        """
        read = values if read is None else read
        there = self.dictionary.values(read)
        return values + self.dictionary.change(latents - there, like=read).to(values)


@dataclass(frozen=True)
class Place:
    """What a model has before something is attached: its `nodes`, the spellings `taken` by them,
    what was attached before, and its own name."""

    nodes: Mapping[str, Node]
    taken: Mapping[str, str]
    known: Mapping[str, Attached]
    model: str

    def node(self, name: str) -> Node:
        """The node of that id or alias. Raises BadInput for one that a dictionary makes."""
        found = self.nodes[self.taken.get(name, name)]
        if found.id in self.known:
            raise BadInput(
                f"{found.id} is made by a dictionary itself; attach to a node of the network"
            )
        return found


def attach(
    source: Source,
    node: str | None,
    name: str,
    place: Place,
    *,
    writes: str | None = None,
    options: Mapping[str, Any],
) -> Attached:
    """`source` over the values of `node`, or of the one that its file names, as a node with the id
    `<node>.<name>`.

    Raises BadInput where it does not fit, and Conflict where the id is taken by something else.
    """
    file = _file(source, options)
    own = [n for n in place.nodes.values() if n.id not in place.known]
    hooks = file.description.hooks if file else Hooks()
    if node is None:
        if file is None:
            raise BadInput("only a file says where it belongs; name the node")
        node = proposed(hooks.reads, own, file.description.units)
    base = place.node(node)
    id = f"{base.id}.{name}"
    Address("model", id)
    dictionary = file.dictionary(base.units) if file else _given(source, base)
    written = _written(dictionary, base, hooks, writes, own, place)
    if id in place.known:
        there = place.known[id]
        if there.dictionary.digest != dictionary.digest or there.writes.id != written.id:
            raise Conflict(
                f"{id} is attached already, from another dictionary "
                f"({there.dictionary.digest[:12]}, not {dictionary.digest[:12]}); give this one "
                "another name"
            )
        return there
    if id in place.taken:
        raise Conflict(
            f"{id} stands for {place.taken[id]} already; give the dictionary another name"
        )
    found = replace(  # the rest is as in the base: that is what is reached for it
        base,
        id=id,
        index=len(place.nodes),
        kind=dictionary.kind,
        units=dictionary.latents,
        parents=(base.id,),
        relus=(),
        aliases=tuple(f"{alias}.{name}" for alias in base.aliases if "#" not in alias),
    )
    notes = (
        *(file.description.notes if file else ()),
        *doubts(hooks, {n.id: n for n in own}, base, place.model),
    )
    if written.id != base.id:
        facts = {**dict(dictionary.facts), "reads_node": base.id, "writes_node": written.id}
        dictionary = replace(dictionary, facts=tuple(facts.items()))
    return Attached(found, base, dictionary, written, notes)


def _file(source: Source, options: Mapping[str, Any]) -> ReadFile | None:
    """The file, read, if it is one."""
    if isinstance(source, str | Path):
        return ReadFile(Path(source), options)
    check_options(options)
    if options:
        raise BadInput(f"{', '.join(options)} belongs to a file; a dictionary or a matrix has none")
    return None


def _given(source: Source, base: Node) -> Dictionary:
    """What is no file: a dictionary, or directions."""
    if isinstance(source, Tensor):
        return directions(source, base.units)
    assert isinstance(source, Dictionary)
    if source.units != base.units:
        raise BadInput(
            f"a dictionary over {source.units} units does not fit {base.id}, which has "
            f"{base.units}; attach it to the node that it was made for"
        )
    return source


def _written(
    dictionary: Dictionary,
    base: Node,
    hooks: Hooks,
    writes: str | None,
    own: list[Node],
    place: Place,
) -> Node:
    """The node that its latents write. Raises BadInput where that is not clear."""
    if not dictionary.transcodes:
        if writes is not None and place.node(writes).id != base.id:
            raise BadInput(f"it is no transcoder: it writes what it reads, {base.id}")
        return base
    units = dictionary.written_units
    if writes is None:
        writes = proposed(hooks.writes, own, units, "node that the transcoder writes (writes=NODE)")
    found = place.node(writes)
    if found.units != units:
        raise BadInput(
            f"a transcoder that writes {units} units does not fit {found.id}, which has "
            f"{found.units}; name the node that it was made for (writes=NODE)"
        )
    if found.index <= base.index:
        raise BadInput(
            f"a transcoder reads a node and writes a later one; {found.id} is not behind {base.id}"
        )
    return found


def spellings(attached: Iterable[Attached]) -> dict[str, str]:
    """Every accepted spelling of these nodes with the id that it stands for."""
    found: dict[str, str] = {}
    for one in attached:
        for alias in (one.node.id, *one.node.aliases):
            found.setdefault(alias, one.node.id)
    return found
