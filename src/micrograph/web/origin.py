"""Whether a request that changes something comes from the site's own pages."""

from urllib.parse import urlsplit

from starlette.requests import Request

from micrograph.errors import MicrographError

_LOOPBACK = ("127.0.0.1", "::1")


class Refused(MicrographError):
    """A request from somewhere else."""

    status = 403


def check_same_origin(request: Request) -> None:
    """Raises Refused unless the request is JSON and was sent by a page of this very site.

    A form or script of another site can send neither without the browser asking first
    (fetch standard, CORS), and browsers state where a request comes from.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused("send JSON (Content-Type: application/json)")
    check_origin(request, "ask for a render")


def check_origin(request: Request, action: str) -> None:
    """Raises Refused unless the request was sent by a page of this very site.

    A request that reads (GET) may also come from nowhere: a reader's own program. `action` is what
    only the site's pages may do.
    """
    site = request.headers.get("sec-fetch-site")
    reads = request.method in ("GET", "HEAD")
    if site not in (None, "same-origin", *(["none"] if reads else [])):
        raise Refused(f"only the site's own pages may {action}")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused(f"only the site's own pages may {action}")
    server = (request.scope.get("server") or ("",))[0]
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    if server in _LOOPBACK and host not in (*_LOOPBACK, "localhost"):
        # A name of another site that was pointed at this machine (DNS rebinding).
        raise Refused(f"this site is not called {host!r}; open it as localhost")
    if site is None and origin is None and not reads:
        raise Refused("state where the request comes from (Origin)")
