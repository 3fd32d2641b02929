"""The page of a model: what it is, and its graph with pictures in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from micrograph.atlas import Reading
from micrograph.lineage import Family, family_of
from micrograph.web.known import Known
from micrograph.web.pages.model_graph import Graph, graph_of
from micrograph.web.pages.model_view import MAP, ModelView, whole_pictures
from micrograph.web.pages.parts import (
    Choice,
    Image,
    LookState,
    ModelRef,
    Switch,
    model_ref,
)
from micrograph.web.pages.start import pictured_units, unit_count
from micrograph.web.unit_map import UnitMap, unit_map
from micrograph.web.urls import Urls


@dataclass(frozen=True)
class ModelPage:
    """`/models/<model>`. `lens` says what stands in the graph's nodes; `source` and the other texts
    say where the model comes from. `source_picture` is the picture the lens looked at; `map` stands
    in the graph's place for the lens "unit_map". `techniques` are the lenses with anything to show.
    `family` says which of several networks of one name this is; `others` lead to comparisons;
    `state` says whether it can be run here.
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
    family: Family | None
    others: list[Choice]
    state: Known


def model_page(
    atlas: Reading, urls: Urls, look: LookState, lens: str = "units", picture: str = "",
    others: Sequence[str] = (), state: Known | None = None, open: str = "",
) -> ModelPage:
    """`others` are models that this one can be compared with; `state` is what is known of it;
    `open` is the one repeated block to draw whole, or "all".

    Raises BadInput for a lens, picture or block that the model does not have."""
    model = atlas.model
    view = ModelView.of(atlas, lens, picture, urls)
    pictured = pictured_units(atlas)
    wholes, source = whole_pictures(atlas, view, urls)
    graph, blocks = graph_of(atlas, view, open, pictured, wholes, urls)
    safe_url = model.paper_url if model.paper_url.startswith(("https://", "http://")) else ""
    return ModelPage(
        "model", model.title, model.id, model_ref(model, urls), model.summary, model.parameters,
        len(model.labels), model.preprocessing, model.paper, safe_url, model.licence,
        model.lineage, model.source, unit_count(atlas), sum(pictured.values()), view.lens,
        view.picture, source,
        [*view.switches, *blocks], view.techniques, graph,
        unit_map(atlas, urls) if view.lens == MAP else None, look, family_of(model.id),
        [Choice(id, id, urls.compare(model.id, id), False) for id in others if id != model.id],
        state or Known(),
    )
