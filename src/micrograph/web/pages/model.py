"""The page of a model: what it is, and its graph with pictures in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from micrograph.atlas import Reading
from micrograph.cards.families import FamilyTree, family_of, members
from micrograph.parts.parts import (
    Choice,
    Image,
    LookState,
    ModelRef,
    Switch,
    model_ref,
)
from micrograph.parts.urls import Urls
from micrograph.web.known import Known
from micrograph.web.lens_traits import MAP, UnitsMap, units_map
from micrograph.web.pages.model_graph import Graph, graph_of
from micrograph.web.pages.model_state import LensProgress, NodeUnits, progress, units_along_depth
from micrograph.web.pages.model_view import ModelView, whole_pictures
from micrograph.web.pages.paging import Paging
from micrograph.web.pages.pictured import pictured_count, pictured_units, unit_count
from micrograph.web.pages.tested_claims import has_claims


@dataclass(frozen=True, kw_only=True)
class ModelPage:
    """`/models/<model>`. `lens` says what stands in the graph's nodes; `source` and the other texts
    say where the model comes from. `source_picture` is the picture the lens looked at; `map` stands
    in the graph's place for the lens that draws all units itself. `techniques` are the lenses with
    anything to show.
    `family` says which of several networks of one name this is, `relatives` are the models of it
    that have pages here; `others` lead to comparisons; `state` says whether it can be run here.
    `depth` are its nodes with their units, `rendered` how far the lenses have come; `coverage` are
    its modules that have no node, where the engine said that there are some, and `missing` a line
    of it. `claims` is the page of those that were tested, "" for none. `paging` says which nodes of a very large graph the drawing has.
    """

    kind: str
    title: str
    address: str
    model: ModelRef
    summary: str
    parameters: int
    labels: int
    preprocessing: Mapping[str, Any]
    paper: str
    paper_url: str
    licence: str
    lineage: str
    source: str
    units: int
    pictured: int
    lens: str
    picture: str
    source_picture: Image | None
    switches: list[Switch]
    techniques: list[str]
    graph: Graph
    paging: Paging
    map: UnitsMap | None
    look: LookState
    family: FamilyTree | None
    relatives: list[str]
    others: list[Choice]
    state: Known
    depth: list[NodeUnits]
    rendered: list[LensProgress]
    coverage: Mapping[str, Any] | None
    missing: str
    claims: str


def model_page(
    atlas: Reading,
    urls: Urls,
    look: LookState,
    *,
    lens: str = "units",
    picture: str = "",
    library: Mapping[str, bool] | None = None,
    state: Known | None = None,
    open: str = "",
    number: int = 1,
) -> ModelPage:
    """`library` are the models that have pages, and whether they have nodes; `state` is what is
    known of this one; `open` is the one repeated block to draw whole, or "all".

    Raises BadInput for a lens, picture or block that the model does not have, NotFound behind the
    last page of a very large graph."""
    model, family, library = atlas.model, family_of(atlas.model.id), library or {}
    view = ModelView.of(atlas, lens, picture, urls)
    pictured = pictured_units(atlas)
    wholes, source = whole_pictures(atlas, view, urls)
    graph, blocks, paging = graph_of(atlas, view, open, pictured, wholes, urls, number)
    safe_url = model.paper_url if model.paper_url.startswith(("https://", "http://")) else ""
    return ModelPage(
        kind="model",
        title=model.title,
        address=model.id,
        model=model_ref(model, urls),
        summary=model.summary,
        parameters=model.parameters,
        labels=len(model.labels),
        preprocessing=model.preprocessing,
        paper=model.paper,
        paper_url=safe_url,
        licence=model.licence,
        lineage=model.lineage,
        source=model.source,
        units=unit_count(atlas),
        pictured=pictured_count(atlas, pictured),
        lens=view.lens,
        picture=view.picture,
        source_picture=source,
        switches=[*view.switches, *blocks],
        techniques=view.techniques,
        graph=graph,
        paging=paging,
        map=units_map(atlas, urls, None) if view.lens == MAP else None,
        look=look,
        family=family,
        relatives=[one.id for one in members(family.root) if one.id in library] if family else [],
        others=[
            Choice(id, id, urls.compare(model.id, id), False)
            for id, nodes in library.items()
            if nodes and id != model.id
        ],
        state=state or Known(),
        depth=units_along_depth(atlas),
        rendered=progress(atlas, urls),
        coverage=None if model.coverage is None else model.coverage.to_json(),
        missing="" if model.coverage is None else str(model.coverage),
        claims=urls.claims_about(model.id) if has_claims(atlas) else "",
    )
