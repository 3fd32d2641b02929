"""The page of a node: what it is as a whole, and the grid of all its units."""

from collections.abc import Callable
from dataclasses import dataclass

from micrograph.atlas import ModelRecord, NodeRecord, Reading
from micrograph.graph import parts_of
from micrograph.lenses.neuron_groups.page import NeuronGroups
from micrograph.lenses.pages.listing import PLUGINS, Section, sections
from micrograph.lenses.pages.on_pictures import OnPictures
from micrograph.lenses.pages.scene import Scene
from micrograph.lenses.unit_map.page import UnitMap, unit_map
from micrograph.parts.parts import (
    Choice,
    Link,
    LookState,
    ModelRef,
    NodeFacts,
    Switch,
    Thumb,
    model_ref,
    node_facts,
    render_command,
)
from micrograph.parts.urls import Urls
from micrograph.web.pages.node_view import MAP, SIZES, NodeView, lenses_there, switches
from micrograph.web.pages.sort import ordered


@dataclass(frozen=True)
class NodePage:
    """`/models/<model>/<node>`. `missing` is the command that renders what is not there yet.

    `sections` are the lenses of the node as a whole; of those that look at a picture the page shows
    the one called `picture`, out of `pictures`. `units` are the tiles of the grid through the lens
    `technique` in the view `variant`; the `map` stands in their place for the lens "unit_map".
    `techniques` are the lenses with anything to show.
    `part_of` is the concatenation in which the node's units appear again, and as which.
    """

    kind: str
    title: str
    address: str
    model: ModelRef
    node: NodeFacts
    technique: str
    variant: str
    view: NodeView
    switches: list[Switch]
    sections: list[Section]
    picture: str
    pictures: list[Choice]
    techniques: list[str]
    pictured: int
    missing: str
    units: list[Thumb]
    map: UnitMap | None
    inputs: list[Link]
    outputs: list[Link]
    part_of: Link | None
    previous: Link | None
    next: Link | None
    look: LookState


def node_page(
    atlas: Reading,
    node: NodeRecord,
    view: NodeView,
    urls: Urls,
    look: LookState,
    picture: str = "",
) -> NodePage:
    """Raises BadInput for a view that the node does not have."""
    id = atlas.model.id
    there = lenses_there(atlas, node.id)
    whole = Scene(atlas, node, None, urls, atlas.visualizations(node.id, None))
    view = view.settled(whole, there)
    tiles = _tiles(whole, view)
    parts = sections(whole, "node")
    chosen, pictures = _pictures(
        parts, picture, lambda name: urls.node(id, node.id, **view.query(), picture=name) + "#whole"
    )
    order = list(atlas.nodes)
    place = order.index(node.id)

    def link(name: str) -> Link:
        return Link(name, urls.node(id, name))

    return NodePage(
        "node",
        f"{id} / {node.id}",
        f"{id}/{node.id}",
        model_ref(atlas.model, urls),
        node_facts(id, node, urls, atlas.dictionaries.get(node.id)),
        view.lens,
        view.shown_variant,
        view,
        switches(whole, view, there, urls, bool(parts)),
        parts,
        chosen,
        pictures,
        [*dict.fromkeys([*there, *(part.technique for part in parts)])],
        len(tiles),
        "" if len(tiles) >= node.units else _missing(atlas.model, node, view),
        [
            tiles.get(unit) or Thumb(unit, f"{id}/{node.id}/{unit}", urls.unit(id, node.id, unit))
            for unit in ([] if view.lens == MAP else ordered(node.units, tiles, view.sort))
        ],
        unit_map(atlas, urls, node.id) if view.lens == MAP else None,
        [link(p) for p in node.parents if p in atlas.nodes],
        [link(n.id) for n in atlas.nodes.values() if node.id in n.parents],
        _part(atlas, node, urls),
        link(order[place - 1]) if place else None,
        link(order[place + 1]) if place + 1 < len(order) else None,
        look,
    )


def _tiles(scene: Scene, view: NodeView) -> dict[int, Thumb]:
    made = PLUGINS[view.lens].tiles
    return made(scene, view.shown_variant, SIZES[view.size]) if made else {}


def _missing(model: ModelRecord, node: NodeRecord, view: NodeView) -> str:
    plugin = PLUGINS[view.lens]
    usual = view.shown_variant in ("", "channel") or view.lens != "feature_vis"
    return render_command(
        model,
        node.id,
        variants=[] if usual else [view.shown_variant],
        technique=view.lens,
        options=plugin.lens.options,
    )


def _pictures(
    parts: list[Section], asked: str, url: Callable[[str], str]
) -> tuple[str, list[Choice]]:
    """The source pictures that the node's lenses looked at, and which of them to show."""
    names = dict.fromkeys(
        one.shot.variant
        for part in parts
        if isinstance(part, OnPictures | NeuronGroups)
        for one in part.pictures
    )
    chosen = asked if asked in names else next(iter(names), "")
    return chosen, [
        Choice(name, name.replace("-", " "), url(name), name == chosen) for name in names
    ]


def _part(atlas: Reading, node: NodeRecord, urls: Urls) -> Link | None:
    whole, first = parts_of(atlas.nodes).get(node.id, ("", 0))
    if not whole:
        return None
    return Link(
        f"units {first}-{first + node.units - 1} of {whole}",
        urls.node(atlas.model.id, whole) + f"#u{first}",
    )
