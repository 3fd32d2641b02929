"""What the routes share, and how a page leaves the house."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from micrograph.atlas import Library
from micrograph.errors import NotFound
from micrograph.parts.urls import Urls
from micrograph.resolve import resolve
from micrograph.web.answers import Page, answer, twin
from micrograph.web.html import Html
from micrograph.web.known import Known, lost
from micrograph.web.live import Live
from micrograph.web.old_links import is_old, landing
from micrograph.web.panel import Panel
from micrograph.web.picture_questions import PictureQuestions
from micrograph.web.places import Place, find


class Site:
    """The library, the URLs, the templates, live renders, and who looks at readers' pictures.

    `known` says whether the model of an id can be run here; an atlas may be all there is of it.
    """

    def __init__(
        self,
        library: Library,
        live: Live,
        urls: Urls,
        version: str,
        look: PictureQuestions,
        known: Callable[[str], Known] = lambda model: Known(),
    ) -> None:
        self.library, self.live, self.urls, self.version = library, live, urls, version
        self.look, self._known = look, known
        self.html = Html(urls)

    def page(
        self, request: Request, page: Page, side: Panel | None = None, status: int = 200
    ) -> Response:
        """The page as its address asks for it: JSON where that ends in `.json`, else HTML."""
        if _wants_json(request):
            return twin(request, page, status)
        body = self.html.render(page, side or Panel(), _own_url(request))
        return answer(request, body, "text/html; charset=utf-8", status)

    def known(self, model: str) -> Known:
        """Whether a model can be run here."""
        outline = self.library.outlines.get(model)
        return lost(outline) if outline and outline.unreleased else self._known(model)

    def unknown(self, model: str) -> str:
        """Why nothing can be asked of a model, or "" when it can be run here."""
        return self.known(model).reason(model)

    def place(self, request: Request, *parts: str) -> Place | Response:
        """The place the address means, or a redirect: to its canonical spelling, or to where an
        address of OpenAI Microscope's leads."""
        if is_old(request.url.query) and (moved := self._moved(request)):
            return moved
        try:
            place = find(self.library, "/".join(parts), self.urls)
        except NotFound:
            if moved := self._moved(request):
                return moved
            raise
        canonical = self.urls.twin(place.url) if _wants_json(request) else place.url
        if request.url.path != canonical:
            return self.redirect(request, canonical)
        return place

    def _moved(self, request: Request) -> Response | None:
        """To the place of an old link, if it is another than the one that was asked for."""
        path = request.url.path.removesuffix(".json")
        answer = resolve(f"{path}?{request.url.query}", self.library)
        url = landing(answer, self.library, self.urls)
        if not url or url == path:
            return None
        if _wants_json(request):
            url = self.urls.twin(url.partition("#")[0])
        return RedirectResponse(url, 307)

    def redirect(self, request: Request, url: str) -> Response:
        """To `url`, query kept. Temporary: another atlas may give the name another place."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(url + query, 307)


def _wants_json(request: Request) -> bool:
    return request.url.path.endswith(".json") or request.method == "POST"


def _own_url(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
