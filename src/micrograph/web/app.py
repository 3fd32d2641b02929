"""The web application."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from micrograph.atlas import Library
from micrograph.parts.commands import Commands
from micrograph.parts.urls import Urls
from micrograph.web.error_answers import add_error_answers
from micrograph.web.guard import Guard
from micrograph.web.html import static_version
from micrograph.web.known import Known
from micrograph.web.live import READ_ONLY, Live
from micrograph.web.microscope import Microscope
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.proxies import Proxies
from micrograph.web.quick_routes import quick_routes
from micrograph.web.site import Site
from micrograph.web.token import Token
from micrograph.web.token_gate import TokenGate
from micrograph.workers import Supervisor

if TYPE_CHECKING:
    from fastapi import FastAPI


class Application(Starlette):
    """Answers for pages and pictures by itself. All else, and the OpenAPI document, is for FastAPI,
    which is loaded when somebody asks for it: it is a fifth of what a process takes.
    """

    def __init__(self, site: Site) -> None:
        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            yield
            site.live.close()
            site.look.close()
            site.microscope.close()

        super().__init__(routes=quick_routes(site), lifespan=lifespan)
        self.router.redirect_slashes = False
        self.router.default = self._answer_by_described
        self.site, self._loading = site, threading.Lock()
        self._described: FastAPI | None = None
        add_error_answers(self, site)

    @property
    def described(self) -> "FastAPI":
        """The whole site as FastAPI has it, without the names of hosts and tokens being checked."""
        with self._loading:
            if self._described is None:
                from micrograph.web.described_site import described_site

                self._described = described_site(self.site)
            return self._described

    @property
    def routes(self) -> list[BaseRoute]:
        """All there are, also those that only `described` has."""
        return [*self.router.routes, *self.described.routes]

    async def _answer_by_described(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._described
        if app is None:  # it takes half a second: others shall not wait
            app = await asyncio.to_thread(lambda: self.described)
        await app(scope, receive, send)


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
) -> Application:
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
    app = Application(site)
    if token is not None:
        app.add_middleware(TokenGate, site=site, token=token)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies.trusted)
    app.add_middleware(Guard, hosts=hosts, proxies=proxies)
    return app


def _version() -> str:
    try:
        return version("micrograph")
    except PackageNotFoundError:
        return "from source"
