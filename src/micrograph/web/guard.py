"""What holds for every request: the site's name in it, the headers of its answer, and that HEAD is
GET without a body."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from micrograph.errors import MicrographError
from micrograph.web.error_data import error_data, wants_data
from micrograph.web.origin import check_host
from micrograph.web.proxies import Proxies

_HEADERS = {
    # Style attributes carry sizes and average colours; scripts and sheets are files only.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_ENCODED = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]


class Guard:
    """ASGI middleware. The headers let a page do only what the site's own files do.

    HEAD goes on as GET: whatever speaks HTTP sends a HEAD's answer without its body. `hosts` are
    names of the site beside those of this machine. What `proxies` say of a request holds for
    all that comes behind.
    """

    def __init__(
        self, app: ASGIApp, hosts: Collection[str] = (), proxies: Proxies | None = None
    ) -> None:
        self.app = app
        self._hosts = frozenset(name.lower() for name in hosts)
        self._proxies = proxies or Proxies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_ENCODED]
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        server = (scope.get("server") or ("",))[0]
        try:
            # Both: a page of another site may send X-Forwarded-Host too, but no other Host.
            check_host(server, Headers(scope=scope).get("host", ""), self._hosts)
            scope = self._proxies.as_seen(scope)
            check_host(server, Headers(scope=scope).get("host", ""), self._hosts)
        except MicrographError as error:
            await self._refusal(scope, error)(scope, receive, guarded)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, guarded)

    def _refusal(self, scope: Scope, error: MicrographError) -> Response:
        """Without a page of the site, whose links would be refused as well."""
        if wants_data(scope["method"], scope["path"].removeprefix(self._proxies.prefix)):
            body = error_data(error.status, str(error))
            return Response(body, error.status, media_type="application/json")
        return PlainTextResponse(f"{error}\n", error.status)
