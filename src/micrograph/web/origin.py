"""Whether a request that changes something comes from the site's own pages."""

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from micrograph.errors import MicrographError, short


class Refused(MicrographError):
    """A request from somewhere else."""

    status = 403


def check_host(server: str, host: str, allowed: Collection[str]) -> None:
    """Raises Refused where a request over loopback names a host that is neither this machine nor
    `allowed`.

    A page of another site may point a name of its own at this machine (DNS rebinding); the browser
    then lets it read every answer, but says that name. `server` is the address that the request
    came to, `host` its header.
    """
    named = _HOST.fullmatch(host)
    if named is None:
        raise Refused(f"{short(host)} is no name of a host")
    name = named[1].strip("[]").lower()
    local = name == "localhost" or _is_loopback(name)
    if _is_loopback(server) and not local and name not in allowed:
        raise Refused(
            f"this site is not called {short(name)}; open it as localhost, or start it with "
            "--allow-host and the name"
        )


_HOST = re.compile(r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""A name or address, perhaps with a port, and nothing else that an address can have: what stands in
this header stands in links to this site."""


@lru_cache(64)
def _is_loopback(host: str) -> bool:
    """Whether it is an address of this machine's own, also as IPv6 writes those of IPv4."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


_PORTS = {"http": ":80", "https": ":443"}


def _netloc(origin: str) -> str:
    """Host and port of an origin, "" where it has none."""
    try:
        found = urlsplit(origin)
    except ValueError:
        return ""
    return _plain(found.netloc, found.scheme)


def _plain(host: str, scheme: str) -> str:
    """A host without a port that goes without saying; some proxies name it, browsers do not."""
    usual = _PORTS.get(scheme)
    return host.removesuffix(usual) if usual else host


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
    host = _plain(request.headers.get("host", ""), request.url.scheme)
    if origin is not None and (_netloc(origin) != host or not host):
        raise Refused(f"only the site's own pages may {action}")
    if site is None and origin is None and not reads:
        raise Refused("state where the request comes from (Origin)")


def check_opened(request: Request, action: str) -> None:
    """As `check_origin`, for a page whose making has work done: a link of another site may lead a
    reader to it, but pages of others can neither embed it nor fetch it ahead."""
    headers = request.headers
    if "prefetch" in headers.get("sec-purpose", headers.get("purpose", "")):
        raise Refused(f"pages that {action} are not fetched ahead")
    followed = headers.get("sec-fetch-mode") == "navigate", headers.get("sec-fetch-dest")
    if followed != (True, "document") or "origin" in headers:
        check_origin(request, action)
