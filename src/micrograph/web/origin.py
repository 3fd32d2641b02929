"""Whether a request that changes something comes from the site's own pages."""

from urllib.parse import urlsplit

from starlette.requests import Request

from micrograph.errors import MicrographError


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
    site = request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin"):
        raise Refused("only the site's own pages may ask for a render")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refused("only the site's own pages may ask for a render")
    if site is None and origin is None:
        raise Refused("state where the request comes from (Origin)")
