"""The web application."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from micrograph.atlas import Library
from micrograph.parts.commands import Commands
from micrograph.parts.urls import Urls
from micrograph.web.error_answers import add_error_answers
from micrograph.web.guard import Guard
from micrograph.web.health import add_health_route
from micrograph.web.html import static_version
from micrograph.web.known import Known
from micrograph.web.live import READ_ONLY, Live
from micrograph.web.live_routes import add_live_routes
from micrograph.web.look_routes import add_look_routes
from micrograph.web.microscope import Microscope
from micrograph.web.oembed_route import add_oembed_route
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.proxies import Proxies
from micrograph.web.resolve_route import add_resolve_route
from micrograph.web.rest_routes import add_rest_routes
from micrograph.web.routes import add_routes
from micrograph.web.site import Site
from micrograph.web.token import Token
from micrograph.web.token_gate import TokenGate
from micrograph.workers import Supervisor


def create_app(
    library: Library,
    writable: Path | None = None,
    live: Live | None = None,
    look: PictureQuestions | None = None,
    known: Callable[[str], Known] = lambda model: Known(),
    workers: Supervisor | None = None,
    hosts: Collection[str] = (),
    commands: Commands | None = None,
    proxies: Proxies | None = None,
    read_only: bool = False,
    token: Token | None = None,
    microscope: Microscope | None = None,
) -> FastAPI:
    """The site over `library`.

    Pictures asked for on a page are rendered into the folder `writable`; without one nothing is
    rendered. `known` says whether the model of an id can be run here. `workers` start and watch the
    processes that work for the site; whoever gives them closes them. `commands` are what pages tell
    readers to type, `hosts` names of the site beside those of this machine. `proxies` are those in
    front of it. A site that is `read_only` shows what is there: nothing is rendered, no picture
    looked at. With a `token`, nothing is shown to those who do not have it.
    """
    proxies = proxies or Proxies()
    urls = Urls(static_version(), commands, proxies.prefix)
    workers = workers or Supervisor()
    live = live or Live(None if read_only else writable, urls, workers=workers)
    look = look or PictureQuestions(workers=workers, off=READ_ONLY if read_only else "")
    microscope = microscope or Microscope(live.folder, off=READ_ONLY if read_only else "")
    site = Site(library, live, urls, _version(), look, known, microscope)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        site.live.close()
        site.look.close()
        site.microscope.close()

    app = FastAPI(
        title="Micrograph",
        version=site.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        summary="The JSON twins of the pages: the same path with .json behind it.",
    )
    if token is not None:
        app.add_middleware(TokenGate, site=site, token=token)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies.trusted)
    app.add_middleware(Guard, hosts=hosts, proxies=proxies)

    add_error_answers(app, site)
    add_live_routes(app, site)
    add_rest_routes(app, site)
    add_routes(app, site)
    add_look_routes(app, site)
    add_resolve_route(app, site)
    add_oembed_route(app, site)
    add_health_route(app)
    return app


def _version() -> str:
    try:
        return version("micrograph")
    except PackageNotFoundError:
        return "from source"
