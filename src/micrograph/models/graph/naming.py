"""From watched module outputs to named nodes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import nn

from micrograph.graph import NodeKind
from micrograph.models.graph.aten_call import ALL
from micrograph.models.graph.attended import inside_attention
from micrograph.models.graph.constants import perhaps_constant
from micrograph.models.graph.kinds import kinds_of
from micrograph.models.graph.values import Producer, Source, Value
from micrograph.models.node import CallSite, Node, ReceptiveField

TOKEN_KINDS = ("class", "distillation")
"""The kinds of tokens beside the positions that become nodes of their own."""


def default_id(path: str) -> str:
    """A module path in letters that an address allows."""
    return re.sub(r"[^A-Za-z0-9_.\-]|\A[.\-]", "_", path)


def _naming_producer(value: Value) -> Producer:
    """The producer that gives a value its name: the module with the shortest name whose output it
    is, the network itself only if nothing else; else the join that made it; else a module that
    gives it among others.

    Modules outside the one that made it only count if they contain that one: what merely turns the
    axes of a value does not give it a name.
    """
    first = value.producers[0].place
    alone = [m for m in value.producers if not m.among_others] or value.producers
    around = [
        m
        for m in alone
        if m.place.path and not m.place.join and (first.path + ".").startswith(m.place.path + ".")
    ]
    around = [m for m in around if not _ends_with_a_block(m, around)]
    if around:
        return min(around, key=lambda m: (m.place.path.count("."), len(m.place.path)))
    return next((m for m in alone if not m.place.join), alone[0])


def _ends_with_a_block(producer: Producer, others: Sequence[Producer]) -> bool:
    """Whether the module is a row of blocks, the last of which made this: `blocks.11`."""
    if not isinstance(producer.module, nn.Sequential):
        return False
    inside = producer.place.path + "."
    return any(
        m.place.path.startswith(inside)
        and re.fullmatch(r"[\d.]+", m.place.path[len(inside) :])
        and not type(m.module).__module__.startswith("torch.nn.")
        for m in others
    )


def _ids(values: Sequence[Value], node_id: Callable[[str], str | None]) -> dict[int, str]:
    """A name for each value, but for those that `node_id` hides."""
    ids: dict[int, str] = {}
    for number, value in enumerate(values):
        place = _naming_producer(value).place
        kind = place.join.partition("#")[0]
        path = ".".join(part for part in (place.path, kind, value.only_token) if part)
        name = node_id(path) if path else _output_name(place)
        if name is None:
            continue
        stem = name = default_id(name)
        call = place.call
        if call:
            name = f"{stem}-{call}"
        while name in ids.values():
            call += 1
            name = f"{stem}-{call}" if kind else name + "-"
        ids[number] = name
    return ids


def name_nodes(
    values: Sequence[Value],
    node_id: Callable[[str], str | None] = default_id,
    aliases: Callable[[str], tuple[str, ...]] = lambda node: (),
) -> tuple[dict[str, Node], dict[str, str]]:
    """Nodes by id in graph order, and every accepted spelling with the id that it stands for.

    A module's k-th call (k > 0) is the node `<id>-<k>`, also written `<path>#<k>`. A sum,
    concatenation or product that is no module's output is `<id of the module>.add`, `.cat` or
    `.mul`, a further one in the same module `.add-1`. The network's own output is the node `output`
    unless a module inside gave it; where it gives several tensors, `output.<name>` is a spelling of
    each. The class token of a node is the node `<id>.class`, also where nothing else of it can be
    shown. Nodes that may be constant say so.
    """
    ids, inside = _ids(values, node_id), inside_attention(values)
    kinds, unseen = kinds_of(values, inside), perhaps_constant(values, TOKEN_KINDS)
    nodes: dict[str, Node] = {}
    token_nodes: dict[Source, str] = {}
    for number, name in ids.items():
        value = values[number]
        producer = _naming_producer(value)
        place = producer.place
        modules = [m for m in value.producers if not m.place.join]
        simple = [m for m in modules if m.layout.blocks is None] or modules
        first = simple[0] if simple and not place.join else producer
        also = [
            _spelling(m.place.path, m.place.call)
            for m in value.producers
            if m.place.path and not m.place.join
        ]
        also += [_output_name(m.place) for m in value.producers if m.place.part]
        sources = _visible_sources(values, number, ids, "")
        node = Node(
            id=name,
            index=len(nodes),
            kind=NodeKind.TOKEN.value if value.is_of_tokens else kinds[number],
            units=value.units,
            shape=value.shape,
            receptive_field=value.field.as_square(),
            parents=_parents(sources, "", ids, token_nodes),
            path=_spelling(place.path, place.call),
            aliases=tuple(dict.fromkeys(a for a in (*aliases(name), *also) if a != name)),
            relus=value.origin.relus,
            overwritten=value.overwritten,
            layout=first.layout,
            join=place.join,
            part=place.part,
            made_at=first.place if first is not producer else None,
            attended=number in inside,
            constant=(number, "") in unseen,
            handed_out=bool(place.join) and any(m.among_others for m in value.producers),
        )
        nodes[name] = node
        if node.receptive_field.status in ("exact", "at most"):
            # What is not a position has not seen the picture yet.
            token_nodes |= {(number, kind): "" for kind in TOKEN_KINDS if kind in value.tokens}
            continue
        for kind in TOKEN_KINDS:
            if kind in value.tokens and not value.is_of_tokens:
                own = f"{name}.{kind}"
                token_nodes[number, kind] = own
                nodes[own] = replace(
                    node,
                    id=own,
                    index=len(nodes),
                    kind=NodeKind.TOKEN.value,
                    shape=(),
                    parents=_parents(
                        _visible_sources(values, number, ids, kind), kind, ids, token_nodes
                    ),
                    aliases=tuple(f"{alias}.{kind}" for alias in node.aliases),
                    layout=node.layout.of_token(value.tokens.index(kind)),
                    receptive_field=ReceptiveField(status=node.receptive_field.status),
                    constant=(number, kind) in unseen,
                )
    known = {name: name for name in nodes}
    for node in nodes.values():
        for alias in node.aliases:
            known.setdefault(alias, node.id)
    return nodes, known


def _output_name(place: CallSite) -> str:
    """What the network's own output is called, or one tensor of it."""
    return default_id(f"output.{place.part}") if place.part else "output"


def _spelling(path: str, call: int) -> str:
    return f"{path}#{call}" if call else path


def _parents(
    sources: Sequence[Source], kind: str, ids: dict[int, str], token_nodes: dict[Source, str]
) -> tuple[str, ...]:
    """The ids of the nodes that a node reads; `kind` is that of its token, "" for a map.

    A token reads the same token of each value, positions read positions, unless they were mixed.
    Tokens without a name have not seen the picture.
    """
    found: list[str] = []
    for n, token in sources:
        if token == ALL:
            found += (ids[n], *(token_nodes.get((n, k), "") for k in TOKEN_KINDS))
        else:
            found.append(token_nodes.get((n, kind), token_nodes.get((n, token), ids[n])))
    return tuple(dict.fromkeys(filter(None, found)))


def _visible_sources(
    values: Sequence[Value], number: int, ids: dict[int, str], kind: str
) -> list[Source]:
    """The nearest values upstream that are nodes, in order; hidden ones are looked through.

    `kind` is that of the tokens that are asked about, "" for positions.
    """
    found: set[Source] = set()
    seen: set[Source] = set()
    todo = list(values[number].origin.sources_of(kind))
    while todo:
        source = todo.pop()
        if source in seen:
            continue
        seen.add(source)
        n, token = source
        if n in ids:
            found.add(source)
        else:
            upstream = values[n].origin
            some = upstream.sources if token == ALL else upstream.sources_of(token or kind)
            todo += [(m, ALL if ALL in (token, t) else token or t) for m, t in some]
    return sorted(found)
