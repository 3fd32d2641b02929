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
from micrograph.web.pages.model_graph import Graph, graph_of
from micrograph.web.pages.model_state import NodeUnits, Rendered, rendered, units_along_depth
from micrograph.web.pages.model_view import MAP, ModelView, whole_pictures
from micrograph.web.pages.start import pictured_units, unit_count
from micrograph.web.unit_map import UnitMap, unit_map


@dataclass(frozen=True)
class ModelPage:
    """`/models/<model>`. `lens` says what stands in the graph's nodes; `source` and the other texts
    say where the model comes from. `source_picture` is the picture the lens looked at; `map` stands
    in the graph's place for the lens "unit_map". `techniques` are the lenses with anything to show.
    `family` says which of several networks of one name this is, `relatives` are the models of it
    that have pages here; `others` lead to comparisons; `state` says whether it can be run here.
    `depth` are its nodes with their units, `rendered` how far the lenses have come.
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
    map: UnitMap | None
    look: LookState
    family: FamilyTree | None
    relatives: list[str]
    others: list[Choice]
    state: Known
    depth: list[NodeUnits]
    rendered: list[Rendered]


def model_page(
    atlas: Reading,
    urls: Urls,
    look: LookState,
    lens: str = "units",
    picture: str = "",
    library: Mapping[str, bool] | None = None,
    state: Known | None = None,
    open: str = "",
) -> ModelPage:
    """`library` are the models that have pages, and whether they have nodes; `state` is what is
    known of this one; `open` is the one repeated block to draw whole, or "all".

    Raises BadInput for a lens, picture or block that the model does not have."""
    model, family, library = atlas.model, family_of(atlas.model.id), library or {}
    view = ModelView.of(atlas, lens, picture, urls)
    pictured = pictured_units(atlas)
    wholes, source = whole_pictures(atlas, view, urls)
    graph, blocks = graph_of(atlas, view, open, pictured, wholes, urls)
    safe_url = model.paper_url if model.paper_url.startswith(("https://", "http://")) else ""
    return ModelPage(
        "model",
        model.title,
        model.id,
        model_ref(model, urls),
        model.summary,
        model.parameters,
        len(model.labels),
        model.preprocessing,
        model.paper,
        safe_url,
        model.licence,
        model.lineage,
        model.source,
        unit_count(atlas),
        sum(pictured.values()),
        view.lens,
        view.picture,
        source,
        [*view.switches, *blocks],
        view.techniques,
        graph,
        unit_map(atlas, urls) if view.lens == MAP else None,
        look,
        family,
        [one.id for one in members(family.root) if one.id in library] if family else [],
        [
            Choice(id, id, urls.compare(model.id, id), False)
            for id, nodes in library.items()
            if nodes and id != model.id
        ],
        state or Known(),
        units_along_depth(atlas),
        rendered(atlas, urls),
    )
