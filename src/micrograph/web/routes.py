"""Which address shows which page. Every page is routed twice: as HTML and as its JSON twin."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from micrograph.errors import Unavailable
from micrograph.parts.parts import LookState, look_state
from micrograph.web.images import image_answer
from micrograph.web.origin import check_same_origin
from micrograph.web.pages.compare import ComparePage, compare_page
from micrograph.web.pages.model import ModelPage, model_page
from micrograph.web.pages.node import NodePage, node_page
from micrograph.web.pages.node_view import NodeView
from micrograph.web.pages.other import AboutPage, ErrorPage, SearchPage, about_page, search_page
from micrograph.web.pages.start import StartPage, start_page
from micrograph.web.pages.unit import RenderState, UnitPage, unit_page
from micrograph.web.panel import model_panel, node_panel, unit_panel
from micrograph.web.places import Place, find
from micrograph.web.site import Site
from micrograph.web.static import StaticForever

Function = Callable[..., Any]


def add_routes(app: FastAPI, site: Site) -> None:
    """All routes of the site. Only the twins and the live route stand in the OpenAPI document."""

    def page(path: str, kind: type) -> Callable[[Function], Function]:
        def route(function: Function) -> Function:
            failures: dict[int | str, dict[str, Any]] = {
                400: {"model": ErrorPage},
                404: {"model": ErrorPage},
            }
            app.get(path + ".json", response_model=kind, responses=failures)(function)
            app.get(path, include_in_schema=False)(function)
            return function

        return route

    @page("/", StartPage)
    def start(request: Request) -> Response:
        """The start: the models there are."""
        library = site.snapshot(request)
        return site.page(request, start_page(library, site.urls, "start", site.known))

    @page("/models", StartPage)
    def models(request: Request) -> Response:
        """The index of models."""
        library = site.snapshot(request)
        return site.page(request, start_page(library, site.urls, "models", site.known))

    @page("/about", AboutPage)
    def about(request: Request) -> Response:
        """What this is, and every lens in words."""
        return site.page(request, about_page(site.version))

    @page("/search", SearchPage)
    def search(request: Request, q: Annotated[str, Query(max_length=500)] = "") -> Response:
        """Places by address, alias, name or class label. The HTML page goes straight to the place
        where the text names exactly one."""
        found = search_page(site.snapshot(request), q, site.urls)
        if found.exact and not request.url.path.endswith(".json"):
            return RedirectResponse(found.exact, 303)
        return site.page(request, found)

    @page("/compare", ComparePage)
    def compare(
        request: Request,
        here: Annotated[str, Query(max_length=200)],
        there: Annotated[str, Query(max_length=200)],
    ) -> Response:
        """Two models side by side."""
        return site.page(request, compare_page(site.snapshot(request), site.urls, here, there))

    @page("/models/{model}", ModelPage)
    def model(
        request: Request, model: str, lens: str = "units", picture: str = "", open: str = ""
    ) -> Response:
        """A model and its graph; `lens` says what stands in its nodes, `picture` which picture
        that lens looked at, `open` which repeated block is drawn whole, or "all"."""
        place = site.place(request, model)
        if isinstance(place, Response):
            return place
        library = {id: bool(r.nodes) for id, r in site.snapshot(request).readings.items()}
        state = site.known(place.atlas.model.id)
        found = model_page(
            place.atlas, site.urls, _look(site, place), lens, picture, library, state, open
        )
        return site.page(request, found, model_panel(found, site.urls))

    @page("/models/{model}/{node}", NodePage)
    def node(
        request: Request,
        model: str,
        node: str,
        objective: str = "channel",
        sign: str = "positive",
        sort: str = "unit",
        size: str = "m",
        lens: str = "feature_vis",
        variant: str = "",
        picture: str = "",
    ) -> Response:
        """A node as a whole, and all its units through one lens."""
        place = site.place(request, model, node)
        if isinstance(place, Response):
            return place
        assert place.node is not None
        view = NodeView(objective, sign, sort, size, lens, variant)
        found = node_page(place.atlas, place.node, view, site.urls, _look(site, place), picture)
        return site.page(request, found, node_panel(found, place.atlas, site.urls))

    @page("/models/{model}/{node}/{unit}", UnitPage)
    def unit(request: Request, model: str, node: str, unit: str, dataset: str = "") -> Response:
        """A unit and everything that was rendered of it; `dataset` is the name of the dataset whose
        examples are shown."""
        place = site.place(request, model, node, unit)
        if isinstance(place, Response):
            return place
        assert place.node is not None
        assert place.unit is not None
        id = place.atlas.model.id
        found = unit_page(
            place.atlas,
            place.node,
            place.unit,
            site.urls,
            str(request.base_url).rstrip("/"),
            _render_state(site, place),
            _look(site, place),
            [other for other in site.snapshot(request).atlases() if other.model.id != id],
            {"dataset": dataset},
        )
        return site.page(request, found, unit_panel(found, place.atlas, site.urls))

    @app.post("/models/{model}/{node}/{unit}/render", response_model=RenderState, status_code=202)
    def render(request: Request, model: str, node: str, unit: str) -> RenderState:
        """Ask for a unit to be rendered here. Same origin and JSON only; one at a time."""
        check_same_origin(request)
        place = find(site.snapshot(request), f"{model}/{node}/{unit}", site.urls)
        return _ask(site, place)

    @app.get("/images/{model}/{name}", include_in_schema=False)
    async def image(request: Request, model: str, name: str) -> Response:
        """A picture. Read on the event loop: it takes less time than a hop to a thread."""
        return image_answer(site.snapshot(request), request, model, name)

    app.mount(f"/static/{site.urls.version}", StaticForever(), name="static")


def _look(site: Site, place: Place) -> LookState:
    node = place.node.id if place.node else ""
    reason = site.unknown(place.atlas.model.id) or site.look.reason
    return look_state(place.atlas.model, reason, site.urls, node, place.unit)


def _render_state(site: Site, place: Place) -> RenderState:
    assert place.node is not None
    assert place.unit is not None
    state = site.live.state(place.atlas.model.id, place.node.id, place.unit)
    reason = site.unknown(place.atlas.model.id)
    return replace(state, available=False, reason=reason) if reason else state


def _ask(site: Site, place: Place) -> RenderState:
    assert place.node is not None
    assert place.unit is not None
    if reason := site.unknown(place.atlas.model.id):
        raise Unavailable(reason)
    return site.live.ask(place.atlas.model.id, place.node.id, place.unit)
