"""The web application."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from micrograph.atlas import Library
from micrograph.errors import BadInput, MicrographError, NotFound, short
from micrograph.parts.urls import Urls
from micrograph.web.guard import Guard
from micrograph.web.html import static_version
from micrograph.web.known import Known
from micrograph.web.live import Live
from micrograph.web.look_routes import add_look_routes
from micrograph.web.old_links import add_resolve_route
from micrograph.web.pages.other import error_page
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.places import find_model
from micrograph.web.routes import add_routes
from micrograph.web.site import Site
from micrograph.workers import Supervisor


def create_app(
    library: Library,
    writable: Path | None = None,
    live: Live | None = None,
    look: PictureQuestions | None = None,
    known: Callable[[str], Known] = lambda model: Known(),
    workers: Supervisor | None = None,
) -> FastAPI:
    """The site over `library`.

    Pictures asked for on a page are rendered into the folder `writable`; without one nothing is
    rendered. `known` says whether the model of an id can be run here. `workers` start and watch the
    processes that work for the site; whoever gives them closes them.
    """
    urls = Urls(static_version())
    workers = workers or Supervisor()
    live = live or Live(writable, urls, workers=workers)
    look = look or PictureQuestions(workers=workers)
    site = Site(library, live, urls, _version(), look, known)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        site.live.close()
        site.look.close()

    app = FastAPI(
        title="Micrograph",
        version=site.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        summary="The JSON twins of the pages: the same path with .json behind it.",
    )
    app.add_middleware(Guard)

    def failed(request: Request, error: MicrographError) -> Response:
        model = None
        with suppress(KeyError, MicrographError):
            model = find_model(library, str(request.path_params["model"])).model.id
        return site.page(request, error_page(error, model, urls), status=error.status)

    @app.exception_handler(MicrographError)
    def bad(request: Request, error: MicrographError) -> Response:
        return failed(request, error)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return failed(
                request,
                NotFound(
                    f"there is no page {short(request.url.path)}; "
                    "places are /models/<model>/<node>/<unit>"
                ),
            )
        text = str(error.detail)
        if error.status_code == 405:
            allowed = (error.headers or {}).get("allow", "GET")
            text = f"{request.method} does nothing at this address; it answers {allowed}"
        other = MicrographError(text)
        other.status = error.status_code
        answer = failed(request, other)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return failed(request, BadInput(f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))

    add_routes(app, site)
    add_look_routes(app, site)
    add_resolve_route(app, library, site.known)
    return app


def _version() -> str:
    try:
        return version("micrograph")
    except PackageNotFoundError:
        return "from source"
