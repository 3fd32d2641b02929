"""Asking for the token before anything of the site is shown."""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from micrograph.errors import MicrographError
from micrograph.web.health import HEALTH
from micrograph.web.origin import check_origin
from micrograph.web.pages.other import error_page
from micrograph.web.requests import prefix_of
from micrograph.web.site import Site
from micrograph.web.token import COOKIE, Token
from micrograph.web.writers import to_json

_LONGEST = 4096
"""Bytes of a form with a token."""
_SECONDS = 10.0
"""How long that form may take to arrive."""
_DAYS = 30


class TokenWanted(MicrographError):
    """A request without the token."""

    status = 401


@dataclass(frozen=True)
class TokenPage:
    """Asks for the token; `next` is the page to go on to, `message` what was wrong, or ""."""

    next: str
    message: str = ""
    kind: str = "token"
    title: str = "This site asks for a token"


class TokenGate:
    """ASGI middleware: lets through who has the token, as `Authorization: Bearer` or in a cookie,
    which a page with one field sets. Open to all are the site's own files and its health."""

    def __init__(self, app: ASGIApp, site: Site, token: Token) -> None:
        self.app, self._site, self._token = app, site, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        path = scope["path"].removeprefix(prefix_of(request))
        if path == HEALTH or path.startswith("/static/"):
            await self.app(scope, receive, send)
        elif path == "/token":
            await (await self._given(request))(scope, receive, send)
        elif self._token.allows(request.headers):
            await self.app(scope, receive, _private(send))
        else:
            await self._asking(request, _asked_for(request))(scope, receive, send)

    def _asking(self, request: Request, next: str, message: str = "") -> Response:
        """The page that asks, or for programs one line that does."""
        urls = self._site.urls.under(prefix_of(request))
        headers = {"cache-control": "no-store", "www-authenticate": "Bearer", "vary": "accept"}
        if "text/html" in request.headers.get("accept", ""):
            text = self._site.html.asking(TokenPage(next, message), urls)
            return Response(text, 401, headers, "text/html; charset=utf-8")
        error = TokenWanted(
            message or "this site asks for a token; send it as `Authorization: Bearer TOKEN`"
        )
        page = error_page(error, None, urls)
        return Response(to_json(page), 401, headers, "application/json")

    async def _given(self, request: Request) -> Response:
        """The answer to a form: to where its sender was going, with a cookie."""
        home = self._site.urls.under(prefix_of(request)).home
        if request.method != "POST":
            return RedirectResponse(home, 303)
        try:
            check_origin(request, "hand in a token")
            form = parse_qs((await _body(request)).decode("ascii", "replace"))
        except MicrographError as error:
            return Response(f"{error}\n", error.status, media_type="text/plain")
        except ClientDisconnect:
            return Response(status_code=400)
        next = form.get("next", [home])[-1]
        if not next.startswith(home) or next[1:2] in ("/", "\\"):
            next = home
        if not self._token.fits(form.get("token", [""])[-1]):
            return self._asking(request, next, "That is not the token of this site.")
        answer = RedirectResponse(next, 303, {"cache-control": "no-store"})
        answer.set_cookie(
            COOKIE,
            self._token.cookie,
            max_age=_DAYS * 86400,
            path=home,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return answer


def _asked_for(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


async def _body(request: Request) -> bytes:
    data = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for part in request.stream():
                data += part
                if len(data) > _LONGEST:
                    raise _refusal(413, "the form has more than a token")
    except TimeoutError:
        raise _refusal(408, "the token did not arrive") from None
    return bytes(data)


def _refusal(status: int, text: str) -> MicrographError:
    error = MicrographError(text)
    error.status = status
    return error


def _private(send: Send) -> Send:
    """What was given for a token is not for caches that several people share."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            told = headers.get("cache-control", "no-cache")
            if "private" not in told and told != "no-store":
                headers["cache-control"] = "private, " + told.removeprefix("public, ")
            message = {**message, "headers": headers.raw}
        await send(message)

    return sending
