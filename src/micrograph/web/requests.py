"""From a request to a page, and from a page to an answer."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from micrograph.atlas.format import one_connection_a_file
from micrograph.web.answers import answer
from micrograph.web.build import build
from micrograph.web.context import Context
from micrograph.web.pages import Page
from micrograph.web.redirects import Redirect
from micrograph.web.site import Site
from micrograph.web.targets import parse
from micrograph.web.writers import to_html, to_json

HTML = "text/html; charset=utf-8"
JSON = "application/json"


def context_of(site: Site, request: Request) -> Context:
    """The context of a request, the same object at every call."""
    if not hasattr(request.state, "context"):
        request.state.context = Context(site, str(request.base_url).rstrip("/"))
    found: Context = request.state.context
    return found


def page_answer(site: Site, request: Request) -> Response:
    """The page that a request asks for, or the redirect to it."""
    context = context_of(site, request)
    with one_connection_a_file():
        page = build(context, parse(request.url.path, request.url.query))
        if isinstance(page, Redirect):
            return RedirectResponse(page.url, page.status)
        return page_response(context, request, page)


def page_response(context: Context, request: Request, page: Page, status: int = 200) -> Response:
    """The response with a page: JSON where the path of the request ends in `.json`, else HTML."""
    if request.url.path.endswith(".json") or request.method == "POST":
        return answer(request, to_json(page), JSON, status)
    own = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return answer(request, to_html(context, page, own), HTML, status)
