"""The page of a node: what it is as a whole, and the grid of all its units."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from micrograph.atlas import ModelRecord, NodeRecord, Reading
from micrograph.atlas.concatenations import concatenations
from micrograph.lenses.pages.listing import page_of, words
from micrograph.lenses.pages.scene import Scene
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
)
from micrograph.parts.urls import Urls
from micrograph.web.choices import check_choice
from micrograph.web.failures import attempt
from micrograph.web.lens_traits import (
    DEFAULT,
    MAP,
    UnitsMap,
    is_default_tile,
    pictures_looked_at,
    source_names,
    units_map,
)
from micrograph.web.pages.lens_parts import LensPart, lens_parts
from micrograph.web.pages.node_view import SIZES, NodeView, lenses_there, switches
from micrograph.web.pages.paging import Paging, pages_of
from micrograph.web.pages.sort import ordered
from micrograph.web.pages.tested_claims import LinkedClaims, linked_claims
from micrograph.web.render_state import NOWHERE, RenderState

PER_PAGE = 2048
"""Units of a grid on one page: about a megabyte."""
MOST_SORTED = 65_536
"""Pictures of which a grid can be sorted by what they show: all of them have to be read for it."""


@dataclass(frozen=True, kw_only=True)
class NodePage:
    """`/models/<model>/<node>`. `missing` is the command that renders what is not there yet.

    `sections` are the lenses of the node as a whole; of those that look at a picture the page shows
    the one called `picture`, out of `pictures`. `units` are the tiles of the grid through the lens
    `technique` in the view `variant`; the `map` stands in their place for the lens that draws all
    units itself. `techniques` are the lenses with anything to show.
    `part_of` is the concatenation in which the node's units appear again, and as which.
    `broken` says in one line why the lens makes no tiles, if it should; else it is "". `note` says
    how to get pictures of the tiles that are not here, else it is "". `claims` are those that were
    tested about its units. Of a very large node `units` are those of one page, which `paging`
    names. `render` says how far a render from here is of what is missing.
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
    sections: list[LensPart]
    picture: str
    pictures: list[Choice]
    techniques: list[str]
    pictured: int
    missing: str
    units: list[Thumb]
    map: UnitsMap | None
    inputs: list[Link]
    outputs: list[Link]
    part_of: Link | None
    previous: Link | None
    next: Link | None
    look: LookState
    broken: str
    paging: Paging
    claims: LinkedClaims
    note: str = ""
    render: RenderState = NOWHERE


def node_page(
    atlas: Reading,
    node: NodeRecord,
    urls: Urls,
    look: LookState,
    *,
    view: NodeView,
    picture: str = "",
    number: int = 1,
    options: Mapping[str, str] | None = None,
    render: RenderState = NOWHERE,
) -> NodePage:
    """Raises BadInput for a view or picture that the node does not have, NotFound behind the last
    page of its grid."""
    id = atlas.model.id
    there = lenses_there(atlas, node.id)
    whole = Scene(
        atlas, node, None, urls, atlas.visualizations(node.id, None), options=options or {}
    )
    view = view.with_variant(whole, there)
    kept = view.query() | ({"picture": picture} if picture else {})
    paging = Paging.of(
        pages_of(node.units, PER_PAGE),
        number,
        f"the units of {node.id}",
        lambda page: page_of_grid(urls, id, node.id, page, **kept),
    )
    results = _results(atlas, node, view)
    if results > MOST_SORTED and view.sort != "unit":
        check_choice("sort", view.sort, ["unit"], of=f"a grid of {results} pictures")
    if paging.pages > 1 and view.sort == "unit":
        whole = replace(whole, shown=range(paging.first, paging.end))
    tiles, broken = _tiles(whole, view)
    pictured = len(tiles) if whole.shown is None else results
    parts = lens_parts(whole, "node")
    if picture:
        known = dict.fromkeys([*pictures_looked_at(whole.found), *_source_names(parts)])
        check_choice("picture", picture, known)
    chosen, pictures = _pictures(
        parts, picture, lambda name: urls.node(id, node.id, **view.query(), picture=name) + "#whole"
    )
    order = list(atlas.nodes)
    place = order.index(node.id)

    def link(name: str) -> Link:
        return Link(name, urls.node(id, name))

    return NodePage(
        kind="node",
        render=render,
        title=f"{id} / {node.id}",
        address=f"{id}/{node.id}",
        model=model_ref(atlas.model, urls),
        node=node_facts(atlas.model, node, urls, atlas.dictionaries.get(node.id)),
        technique=view.lens,
        variant=view.shown_variant,
        view=view,
        switches=[
            one
            for one in switches(whole, view, there, urls, bool(parts))
            if one.name != "sort" or results <= MOST_SORTED
        ],
        sections=parts,
        picture=chosen,
        pictures=pictures,
        techniques=[*dict.fromkeys([*there, *(part.technique for part in parts)])],
        pictured=pictured,
        missing="" if pictured >= node.units else _missing(atlas.model, node, view, urls),
        units=[
            tiles.get(unit) or Thumb(unit, f"{id}/{node.id}/{unit}", urls.unit(id, node.id, unit))
            for unit in ([] if view.lens == MAP else ordered(node.units, tiles, view.sort))[
                paging.first : paging.end
            ]
        ],
        paging=paging,
        map=units_map(atlas, urls, node.id) if view.lens == MAP else None,
        inputs=[link(p) for p in node.parents if p in atlas.nodes],
        outputs=[link(n.id) for n in atlas.nodes.values() if node.id in n.parents],
        part_of=_part(atlas, node, urls),
        previous=link(order[place - 1]) if place else None,
        next=link(order[place + 1]) if place + 1 < len(order) else None,
        look=look,
        broken=broken,
        claims=linked_claims(atlas, urls, node.id),
        note=_note(whole, view, tiles),
    )


def _results(atlas: Reading, node: NodeRecord, view: NodeView) -> int:
    """How many units have a result of the view."""
    asked = (node.id, view.lens, view.shown_variant)
    return sum(c.units for c in atlas.counts() if (c.node, c.technique, c.variant) == asked)


def page_of_grid(urls: Urls, model: str, node: str, page: int, **view: str) -> str:
    """The address of a page of a node's grid."""
    return urls.node(model, node, **view, page=page if page > 1 else None)


def _tiles(scene: Scene, view: NodeView) -> tuple[dict[int, Thumb], str]:
    """The tiles of the grid by unit, and "", or the line that says why there are none."""
    make = page_of(view.lens).tiles
    if make is None:
        return {}, ""
    return attempt(
        words(view.lens).title,
        lambda: (make(scene, view.shown_variant, SIZES[view.size]), ""),
        lambda line: ({}, line),
    )


def _note(scene: Scene, view: NodeView, tiles: Mapping[int, Thumb]) -> str:
    """What the lens has to say about its tiles."""
    note = page_of(view.lens).note
    if note is None:
        return ""
    return attempt(
        words(view.lens).title, lambda: note(scene, view.shown_variant, tiles), lambda _: ""
    )


def _missing(model: ModelRecord, node: NodeRecord, view: NodeView, urls: Urls) -> str:
    usual = view.lens != DEFAULT.technique or is_default_tile(view.lens, view.shown_variant)
    return urls.commands.render(
        model,
        node.id,
        variants=[] if usual else [view.shown_variant],
        technique=view.lens,
        options=words(view.lens).options,
    )


def _pictures(
    parts: list[LensPart], asked: str, url: Callable[[str], str]
) -> tuple[str, list[Choice]]:
    """The source pictures that the node's lenses looked at, and which of them to show."""
    names = _source_names(parts)
    chosen = asked if asked in names else next(iter(names), "")
    return chosen, [
        Choice(name, name.replace("-", " "), url(name), name == chosen) for name in names
    ]


def _source_names(parts: list[LensPart]) -> list[str]:
    return [*dict.fromkeys(name for part in parts for name in source_names(part))]


def _part(atlas: Reading, node: NodeRecord, urls: Urls) -> Link | None:
    whole, first = concatenations(atlas).get(node.id, ("", 0))
    if not whole:
        return None
    return Link(
        f"units {first}-{first + node.units - 1} of {whole}",
        page_of_grid(urls, atlas.model.id, whole, 1 + first // PER_PAGE) + f"#u{first}",
    )
