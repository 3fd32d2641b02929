"""Plain routes of pages, pictures and files: what readers ask for all the time.

FastAPI would give the same answers. `parse` checks what it would check, and that takes as long as
the answer to a reader who has the page already.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Scope

from micrograph.web.build import PAGES, PageFile, PageRoute
from micrograph.web.health import HEALTH, health_answer
from micrograph.web.images import image_answer
from micrograph.web.requests import context_of, kept_answer, page_answer
from micrograph.web.site import Site
from micrograph.web.static import StaticForever

Shown = Callable[[Request], Coroutine[Any, Any, Response]]


class QuickRoute(Route):
    """A route for GET; HEAD comes as GET, see `Guard`. What other methods get is said by the routes
    behind it, unless it is the `only` one of its path."""

    def __init__(self, path: str, shown: Shown, only: bool = False) -> None:
        super().__init__(path, shown, include_in_schema=False)
        self.methods, self._only = {"GET"}, only

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found, child = super().matches(scope)
        return (found, child) if found is Match.FULL or self._only else (Match.NONE, {})


def quick_routes(site: Site) -> list[BaseRoute]:
    """Of all pages that nobody works for and their twins, of pictures, of the site's own files."""
    found: list[BaseRoute] = []
    for route in PAGES:
        if not route.target.asks:
            path = path_of(route)
            found += [QuickRoute(path + one.ending, _shown(site, one)) for one in route.files]
            twin = [] if path.endswith("}") else [path + ".json"]  # else it has the same pattern
            found += [QuickRoute(one, _shown(site)) for one in (*twin, path)]

    async def image(request: Request) -> Response:
        """Read on a thread: an atlas may be locked by another program for a while, and nobody else
        should wait for that."""
        library, asked = context_of(site, request).library, request.path_params
        return await run_in_threadpool(
            image_answer, library, request, asked["model"], asked["name"]
        )

    async def health(request: Request) -> Response:
        return health_answer()

    found.append(QuickRoute("/images/{model}/{name}", image, only=True))
    found.append(QuickRoute(HEALTH, health))
    found.append(Mount(f"/static/{site.urls.version}", StaticForever(), name="static"))
    return found


def _shown(site: Site, file: PageFile | None = None) -> Shown:
    async def shown(request: Request) -> Response:
        # Handing over to a thread takes as long as all else about a page that is kept.
        kept = None if file else site.looks.quick(lambda: kept_answer(site, request))
        if kept is not None:
            return kept
        return await run_in_threadpool(page_answer, site, request, file)

    return shown


def path_of(route: PageRoute) -> str:
    """The path of a page as routes have it."""
    path, rest = route.target.pattern, route.target.rest
    return path.replace(f"{{{rest}}}", f"{{{rest}:path}}") if rest else path
