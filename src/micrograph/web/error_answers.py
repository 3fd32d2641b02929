"""Answers to errors: a page, or its twin, that gives the reason."""

from contextlib import suppress
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from micrograph.errors import BadInput, MicrographError, NotFound, short
from micrograph.web.locations import find_model
from micrograph.web.pages.other import error_page
from micrograph.web.requests import context_of, own_path, page_response
from micrograph.web.site import Site
from micrograph.web.targets import no_such_page, parse


def add_error_answers(app: FastAPI, site: Site) -> None:
    """Answers to errors of ours, of HTTP, and of parameters that FastAPI refuses."""

    def failed(request: Request, error: MicrographError) -> Response:
        context, model = context_of(site, request), None
        with suppress(KeyError, MicrographError):
            model = find_model(context.library, str(request.path_params["model"])).model.id
        return page_response(context, request, error_page(error, model, context.urls), error.status)

    @app.exception_handler(MicrographError)
    def bad(request: Request, error: MicrographError) -> Response:
        return failed(request, error)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            if meant := _meant(request):
                return RedirectResponse(meant, 307)
            return failed(request, no_such_page(request.url.path))
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
        given = "" if first["type"] in _SAYS_ENOUGH else f"{short(first.get('input'))}: "
        text = f"{'.'.join(map(str, first['loc']))}: {given}{first['msg']}"
        return failed(request, BadInput(text))


_SAYS_ENOUGH = ("missing", "string_too_long")


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
