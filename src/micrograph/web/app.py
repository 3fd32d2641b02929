"""The web application."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fastapi import FastAPI

from micrograph.atlas import Library
from micrograph.parts.commands import Commands
from micrograph.parts.urls import Urls
from micrograph.web.error_answers import add_error_answers
from micrograph.web.guard import Guard
from micrograph.web.heap import share_heap
from micrograph.web.html import static_version
from micrograph.web.known import Known
from micrograph.web.live import Live
from micrograph.web.look_routes import add_look_routes
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.resolve_route import add_resolve_route
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
    hosts: Collection[str] = (),
    commands: Commands | None = None,
) -> FastAPI:
    """The site over `library`.

    Pictures asked for on a page are rendered into the folder `writable`; without one nothing is
    rendered. `known` says whether the model of an id can be run here. `workers` start and watch the
    processes that work for the site; whoever gives them closes them. `commands` are what pages tell
    readers to type, `hosts` names of the site beside those of this machine.
    """
    urls = Urls(static_version(), commands)
    workers = workers or Supervisor()
    live = live or Live(writable, urls, workers=workers)
    look = look or PictureQuestions(workers=workers)
    site = Site(library, live, urls, _version(), look, known)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        share_heap()
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
    app.add_middleware(Guard, hosts=hosts)

    add_error_answers(app, site)
    add_routes(app, site)
    add_look_routes(app, site)
    add_resolve_route(app, site)
    return app


def _version() -> str:
    try:
        return version("micrograph")
    except PackageNotFoundError:
        return "from source"
