"""What there is of a model: how many units its nodes have, and how far each lens has come."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from micrograph.atlas import NodeRecord, Reading
from micrograph.graph import stored_worth_seeing
from micrograph.lenses import lenses
from micrograph.lenses.pages.listing import page_of, words
from micrograph.parts.urls import Urls
from micrograph.web.lens_traits import DEFAULT, MAP


@dataclass(frozen=True, kw_only=True)
class NodeUnits:
    """A node with units of its own, in the order of the graph."""

    node: str
    units: int


@dataclass(frozen=True, kw_only=True)
class LensProgress:
    """A lens that has results: of `done` of so many units or nodes, as `level` says. `url` leads to
    where there are most of them."""

    technique: str
    title: str
    level: str
    done: int
    of: int
    url: str


def own_nodes(atlas: Reading) -> list[NodeRecord]:
    """The nodes with units to look at: see `stored_worth_seeing`."""
    found = _OWN.get(atlas)
    if found is None:
        found = _OWN[atlas] = stored_worth_seeing(atlas.nodes)
    return list(found)


_OWN: "WeakKeyDictionary[Reading, list[NodeRecord]]" = WeakKeyDictionary()
"""By what is read, whose nodes stay the same."""


def units_along_depth(atlas: Reading) -> list[NodeUnits]:
    """The nodes that `own_nodes` names."""
    return [NodeUnits(node=n.id, units=n.units) for n in own_nodes(atlas)]


def progress(atlas: Reading, urls: Urls) -> list[LensProgress]:
    """The lenses that have results of the network's own nodes, in reading order; of several views
    of a lens the one that has come furthest counts at each node. What a lens makes of a whole node
    is there for each of its units."""
    nodes = own_nodes(atlas)
    most: dict[str, dict[str, int]] = {}
    wholes: dict[str, set[str]] = {}
    whole = False
    for count in atlas.counts():
        whole = whole or (count.technique, count.variant) == (MAP, "model")
        there = most.setdefault(count.technique, {})
        there[count.node] = max(there.get(count.node, 0), count.units)
        if count.whole:
            wholes.setdefault(count.technique, set()).add(count.node)
    order = [name for name in lenses() if name in most]
    found = []
    for lens in [*order, *(t for t in most if t not in lenses())]:
        level, there_whole = words(lens).level, wholes.get(lens, set())
        done = {n.id: min(most[lens].get(n.id, 0), n.units) for n in nodes}
        if level == "node":
            done = {id: int(units > 0 or id in there_whole) for id, units in done.items()}
            many, of = sum(done.values()), len(nodes)
        else:
            if _is_about_nodes(lens):
                done |= {n.id: n.units for n in nodes if n.id in there_whole}
            many, of = sum(done.values()), sum(n.units for n in nodes)
        if many:
            node = max(done, key=done.__getitem__)
            url = _url(atlas.model.id, lens, "" if lens == MAP and whole else node, urls)
            found.append(
                LensProgress(
                    technique=lens,
                    title=words(lens).title,
                    level=level,
                    done=many,
                    of=of,
                    url=url,
                )
            )
    return found


def _is_about_nodes(lens: str) -> bool:
    """Whether one result of it is about all units of a node."""
    return lens in lenses() and lenses()[lens].level == "node"


def _url(model: str, lens: str, node: str, urls: Urls) -> str:
    """A lens of tiles makes the node's grid, and the map stands in its place, or without `node` in
    the model's; others have a part of the node's page, or of its units'."""
    if not node:
        return urls.model(model, lens=lens)
    if lens == MAP or (page_of(lens).tiles and lens != DEFAULT.technique):
        return urls.node(model, node, lens=lens)
    return urls.node(model, node) + (f"#{lens}" if words(lens).level == "node" else "")
