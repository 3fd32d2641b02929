"""From a request to a page, and from a page to an answer."""

from collections.abc import Hashable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from micrograph.atlas.format import one_connection_a_file
from micrograph.published import noted_files
from micrograph.web.answers import answer
from micrograph.web.build import PageFile, build
from micrograph.web.context import Context
from micrograph.web.error_data import wants_data
from micrograph.web.failures import noted_failures
from micrograph.web.kept_pages import Written
from micrograph.web.outside import outside_state
from micrograph.web.pages import Page
from micrograph.web.redirects import Redirect
from micrograph.web.site import Site
from micrograph.web.target import Target
from micrograph.web.targets import no_such_page, parse
from micrograph.web.writers import to_html, to_json

HTML = "text/html; charset=utf-8"
JSON = "application/json"


def context_of(site: Site, request: Request) -> Context:
    """The context of a request, the same object at every call."""
    if not hasattr(request.state, "context"):
        prefix = prefix_of(request)
        scope, host = request.scope, request.headers.get("host", "")
        origin = _origin(scope["scheme"], host, tuple(scope.get("server") or ()), prefix)
        reader = getattr(request.state, "reader", None)
        request.state.context = Context(site.under(prefix), origin, reader)
    found: Context = request.state.context
    return found


@lru_cache(64)
def _origin(scheme: str, host: str, server: tuple[str | int | None, ...], prefix: str) -> str:
    """What stands before the paths of a site that is asked for by this name."""
    headers = [(b"host", host.encode("latin-1"))] if host else []
    scope = {"scheme": scheme, "server": server or None, "path": prefix + "/", "headers": headers}
    return str(URL(scope={**scope, "query_string": b""})).rstrip("/").removesuffix(prefix)


def prefix_of(request: Request) -> str:
    """The path that the reader sees the site under, "" for none."""
    scope = request.scope  # what is mounted inside has a longer root_path of its own
    return str(scope.get("app_root_path", scope.get("root_path", "")))


def kept_answer(site: Site, request: Request) -> Response | None:
    """The page that a request asks for, where it was written before and all that it shows is the
    same still; None where that is not known at once. Waits for nothing but `stat`."""
    if not site.live.knows_state or (library := site.library.unchanged()) is None:
        return None
    context = context_of(site, request)
    context.see(library)
    asked = _asked(context, request)
    kept = site.pages.get(library, asked.key)
    return None if kept is None else answer(request, kept, asked.mime)


@dataclass(frozen=True)
class _Asked:
    """What a request asks for. `key` is equal where the page is, as long as the library is."""

    target: Target
    key: Hashable
    mime: str


def _asked(context: Context, request: Request, file: PageFile | None = None) -> _Asked:
    """Worked out once for a request. Raises what is wrong with its address."""
    if not hasattr(request.state, "asked"):
        path, query = request.url.path, request.url.query
        own, ending = path.removeprefix(context.urls.prefix), file.ending if file else ""
        target = parse(own.removesuffix(ending), query)
        if file and target.twin:
            raise no_such_page(own)
        key = (path, query, context.origin, outside_state(context, target))
        mime = file.mime if file else JSON if target.twin else HTML
        request.state.asked = _Asked(target, key, mime)
    found: _Asked = request.state.asked
    return found


def page_answer(site: Site, request: Request, file: PageFile | None = None) -> Response:
    """The page that a request asks for, as a `file` or not, or the redirect to it. A page that was
    written before, of what is the same still, is not made again."""
    context, ending = context_of(site, request), file.ending if file else ""
    with one_connection_a_file(), noted_failures() as failed, noted_files() as files:
        asked = _asked(context, request, file)
        target, key, mime = asked.target, asked.key, asked.mime
        kept = site.pages.get(context.library, key)
        if kept is not None:
            return answer(request, kept, mime)
        with nullcontext() if target.asks else site.turns.turn():
            page = build(context, target)
            if isinstance(page, Redirect):
                to, mark, query = page.url.partition("?")
                return RedirectResponse(to + ending + mark + query, page.status)
            body = file.write(context, page) if file else page_body(context, request, page)
            written = Written(body, files)
            response = answer(request, written, mime)  # compresses it, where the reader takes that
        if not failed:
            site.pages.put(context.library, key, written)
        return response


def page_response(context: Context, request: Request, page: Page, status: int = 200) -> Response:
    """The response with a page: JSON where the path of the request ends in `.json`, else HTML."""
    mime = JSON if _asks_for_data(request) else HTML
    return answer(request, Written(page_body(context, request, page)), mime, status)


def page_body(context: Context, request: Request, page: Page) -> bytes:
    """The page in the form that the request asks for."""
    if _asks_for_data(request):
        return to_json(page)
    own = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return to_html(context, page, own)


def _asks_for_data(request: Request) -> bool:
    return wants_data(request.method, own_path(request))


def own_path(request: Request) -> str:
    """The path within the site, which may stand under a path of another one."""
    return request.url.path.removeprefix(prefix_of(request))
