"""The site as FastAPI has it, with an OpenAPI document: imported when somebody asks for that, or
for what is no page."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from micrograph.errors import BadInput, short
from micrograph.web.error_answers import add_error_answers, error_answer
from micrograph.web.health_route import add_health_route
from micrograph.web.live_routes import add_live_routes
from micrograph.web.look_routes import add_look_routes
from micrograph.web.resolve_route import add_resolve_route
from micrograph.web.rest_routes import add_rest_routes
from micrograph.web.routes import add_routes
from micrograph.web.site import Site


def described_site(site: Site) -> FastAPI:
    """All routes of the site. It ends nothing when it ends, and checks neither hosts nor tokens:
    that is for who asks it."""
    app = FastAPI(
        title="Micrograph",
        version=site.version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        summary="The JSON twins of the pages: the same path with .json behind it.",
    )
    add_error_answers(app, site)
    _add_answer_to_parameters(app, site)
    add_live_routes(app, site)
    add_rest_routes(app, site)
    add_routes(app, site)
    add_look_routes(app, site)
    add_resolve_route(app, site)
    add_health_route(app)
    return app


def _add_answer_to_parameters(app: FastAPI, site: Site) -> None:
    """The answer to parameters that FastAPI refuses."""

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        given = "" if first["type"] in _SAYS_ENOUGH else f"{short(first.get('input'))}: "
        text = f"{'.'.join(map(str, first['loc']))}: {given}{first['msg']}"
        return error_answer(site, request, BadInput(text))


_SAYS_ENOUGH = ("missing", "string_too_long")
