"""Pages as FastAPI describes them. Every page is routed twice: as HTML and as its JSON twin."""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from micrograph.web.build import PAGES, PageFile, PageRoute
from micrograph.web.described import FAILURES, JSON_SENT, TWINS, file_of
from micrograph.web.disconnects import reader_of
from micrograph.web.locations import locate_all
from micrograph.web.origin import check_opened, check_same_origin
from micrograph.web.quick_routes import path_of
from micrograph.web.render_state import RenderState
from micrograph.web.requests import context_of, page_answer
from micrograph.web.site import Site


def add_routes(app: FastAPI, site: Site) -> None:
    """The routes of pages, of their files, and of what has one unit or model rendered. Pages as
    HTML stand in no document."""
    for route in PAGES:
        shown = _endpoint(site, route)
        path = path_of(route)
        for file in route.files:  # before the twin, whose address is as long
            described = {**TWINS, **file_of(file.mime)}
            app.get(path + file.ending, response_class=Response, responses=described)(
                _endpoint(site, route, file)
            )
        app.get(path + ".json", response_model=route.page, responses=TWINS)(shown)
        app.get(path, include_in_schema=False)(shown)

    @app.post(
        "/models/{model}/{node}/{unit}/render",
        response_model=RenderState,
        status_code=202,
        responses=FAILURES,
        openapi_extra=JSON_SENT,
    )
    def render(request: Request, model: str, node: str, unit: str) -> RenderState:
        """Ask for a unit to be rendered here. Same origin and JSON only; one at a time."""
        check_same_origin(request)
        context = context_of(site, request)
        return context.ask_for_render(
            locate_all(context.library, [model, node, unit], context.urls)
        )

    @app.post(
        "/circuits/{model}/render",
        response_model=RenderState,
        status_code=202,
        responses=FAILURES,
        openapi_extra=JSON_SENT,
    )
    def render_connections(request: Request, model: str) -> RenderState:
        """Ask for the connections of all nodes of a model, which circuits are drawn from. Same
        origin and JSON only; one at a time."""
        check_same_origin(request)
        context = context_of(site, request)
        return context.ask_for_connections(
            locate_all(context.library, [model], context.urls).atlas.model.id
        )


def _endpoint(site: Site, route: PageRoute, file: PageFile | None = None) -> Callable[..., Any]:
    """What FastAPI calls for a page. Its signature and docstring are there for the OpenAPI document
    and for the checks that follow from it; the address is read by `parse`."""

    def shown(request: Request, **parameters: str) -> Response:
        return page_answer(site, request, file)

    async def asked(request: Request, **parameters: str) -> Response:
        check_opened(request, "have work done")
        async with reader_of(request) as reader:
            request.state.reader = reader
            return await run_in_threadpool(page_answer, site, request, file)

    endpoint: Callable[..., Any] = asked if route.target.asks else shown
    endpoint.__name__ = route.target.kind + (file.ending if file else "")
    endpoint.__doc__ = route.handler.__doc__
    endpoint.__signature__ = _signature(route)  # type: ignore[attr-defined]
    return endpoint


def _signature(route: PageRoute) -> Signature:
    """The request, and each parameter of the page's address as FastAPI wants it described."""
    found = [Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)]
    for one in route.target.parameters():
        kind: Any = str if one.longest is None else Annotated[str, Query(max_length=one.longest)]
        default = Parameter.empty if one.default is None else one.default
        found.append(Parameter(one.name, Parameter.KEYWORD_ONLY, annotation=kind, default=default))
    return Signature(found, return_annotation=Response)
