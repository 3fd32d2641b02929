"""Answers to errors: a page, or its twin, that gives the reason."""

from contextlib import suppress
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from micrograph.errors import MicrographError, NotFound
from micrograph.web.locations import find_model
from micrograph.web.pages.other import error_page
from micrograph.web.requests import context_of, own_path, page_response
from micrograph.web.site import Site
from micrograph.web.targets import no_such_page, parse


def add_error_answers(app: Starlette, site: Site) -> None:
    """Answers to errors of ours and of HTTP."""

    def bad(request: Request, error: Exception) -> Response:
        assert isinstance(error, MicrographError)
        return error_answer(site, request, error)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            if meant := _meant(request):
                return RedirectResponse(meant, 307)
            return error_answer(site, request, no_such_page(request.url.path))
        text = str(error.detail)
        if error.status_code == 405:
            allowed = (error.headers or {}).get("allow", "GET")
            text = f"{request.method} does nothing at this address; it answers {allowed}"
        other = MicrographError(text)
        other.status = error.status_code
        answer = error_answer(site, request, other)
        answer.headers.update(error.headers or {})
        return answer

    app.add_exception_handler(MicrographError, bad)
    app.add_exception_handler(HTTPException, http)


def error_answer(site: Site, request: Request, error: MicrographError) -> Response:
    """The page of an error, with the way back to the model that was asked for."""
    context, model = context_of(site, request), None
    with suppress(KeyError, MicrographError):
        model = find_model(context.library, str(request.path_params["model"])).model.id
    return page_response(context, request, error_page(error, model, context.urls), error.status)


def _meant(request: Request) -> str:
    """The address that is meant by that of a page with slashes behind it, or by the path of the
    site without one; "" if there is none."""
    path, query = request.url.path, request.url.query
    plain = own_path(request).rstrip("/")
    if request.method != "GET" or path.startswith("//"):
        return ""
    asked = f"?{query}" if query else ""
    if not plain:
        return quote(path.rstrip("/")) + "/" + asked
    try:
        parse(plain)
    except MicrographError as error:
        if isinstance(error, NotFound):
            return ""
    return quote(path.rstrip("/")) + asked if path.endswith("/") else ""
