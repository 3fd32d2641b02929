"""What the routes share, and how a page leaves the house."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from micrograph.atlas import Library
from micrograph.web.answers import Page, answer, twin
from micrograph.web.html import Html
from micrograph.web.live import Live
from micrograph.web.look import Look
from micrograph.web.panel import Panel
from micrograph.web.places import Place, find
from micrograph.web.urls import Urls


class Site:
    """The library, the URLs, the templates, live renders, and who looks at readers' pictures.

    `known` says whether a model of an id can be run here; an atlas may be all there is of it.
    """

    def __init__(
        self, library: Library, live: Live, urls: Urls, version: str, look: Look,
        known: Callable[[str], bool] = lambda model: True,
    ) -> None:
        self.library, self.live, self.urls, self.version = library, live, urls, version
        self.look, self.known = look, known
        self.html = Html(urls)

    def page(
        self, request: Request, page: Page, side: Panel | None = None, status: int = 200
    ) -> Response:
        """The page as its address asks for it: JSON where that ends in `.json`, else HTML."""
        if _wants_json(request):
            return twin(request, page, status)
        body = self.html.render(page, side or Panel(), _own_url(request))
        return answer(request, body, "text/html; charset=utf-8", status)

    def unknown(self, model: str) -> str:
        """Why nothing can be asked of a model, or "" when it is installed here."""
        return "" if self.known(model) else f"here {model} is an atlas only, not a model to be run"

    def place(self, request: Request, *parts: str) -> Place | Response:
        """The place the address means, or a redirect to its canonical spelling."""
        place = find(self.library, "/".join(parts), self.urls)
        canonical = self.urls.twin(place.url) if _wants_json(request) else place.url
        if request.url.path != canonical:
            return self.redirect(request, canonical)
        return place

    def redirect(self, request: Request, url: str) -> Response:
        """To `url`, query kept. Temporary: another atlas may give the name another place."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(url + query, 307)


def _wants_json(request: Request) -> bool:
    return request.url.path.endswith(".json") or request.method == "POST"


def _own_url(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
