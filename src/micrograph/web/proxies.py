"""What proxies in front of the site say of a request: its name and path as readers see them."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.types import Scope

from micrograph.errors import BadInput, MicrographError, short

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_MORE = re.compile(r"[?#@\s\"<>\\]|[^\x21-\x7e]")
"""Queries, fragments, names of users, and what is in no address."""
_OWN = {
    "",
    "about",
    "circuits",
    "claims",
    "compare",
    "health",
    "images",
    "models",
    "oembed",
    "openapi.json",
    "resolve",
}
_OWN |= {"search", "static", "token"}
"""What the site's own addresses begin with."""


class Misled(MicrographError):
    """A proxy that is trusted says what cannot be."""

    status = 400


def checked_prefix(given: str) -> str:
    """A path that the site is to stand under, "" for none. Raises BadInput."""
    prefix = given.rstrip("/")
    if not prefix:
        return ""
    parts = prefix.split("/")
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(parts):
        raise BadInput(
            f"--root-path {short(given)} is no path; expected one like /micrograph, of letters, "
            "digits and . _ ~ -"
        )
    if parts[1].removesuffix(".json") in _OWN or parts[1] in _OWN:
        raise BadInput(
            f"--root-path {short(given)} begins like the site's own addresses; choose another name"
        )
    return prefix


def checked_public_url(given: str) -> tuple[str, str, str]:
    """Of the whole address that readers know the site by, what stands before its paths
    ("https://lab.example"), the name of its host, and the path that it stands under. Raises
    BadInput."""
    try:
        found = urlsplit(given)
        name, _ = found.hostname or "", found.port
    except ValueError:
        found, name = urlsplit(""), ""
    if found.scheme not in ("http", "https") or not name or _MORE.search(given):
        raise BadInput(
            f"--public-url {short(given)} is no address of a site; expected one like "
            "https://lab.example or https://lab.example/micrograph"
        )
    return f"{found.scheme}://{found.netloc.lower()}", name, checked_prefix(found.path)


class Proxies:
    """Those in front of the site. `trusted` are addresses and networks ("127.0.0.1,10.0.0.0/8", or
    "*" for all) whose X-Forwarded headers are believed; `prefix` is the path that the site stands
    under, whether or not they cut it off. `public_url` is the address that readers know the site
    by, with that path: links that are meant to last begin with it, whoever asks. `origin` is what
    stands before paths in it, `name` its host; both are "" without one.

    Raises BadInput for what is no address, and for two different paths.
    """

    def __init__(self, trusted: str = "", prefix: str = "", public_url: str = "") -> None:
        self.trusted, self.prefix = trusted, checked_prefix(prefix)
        self.origin = self.name = ""
        if public_url:
            self.origin, self.name, path = checked_public_url(public_url)
            if prefix and path != self.prefix:
                raise BadInput(
                    f"--public-url {short(public_url)} and --root-path {short(prefix)} name "
                    "different paths; give one of them"
                )
            self.prefix = path
        self._all = trusted.strip() == "*"
        self._networks = [] if self._all else [_network(one) for one in _parts(trusted)]

    def trust(self, scope: Scope) -> bool:
        """Whether the request comes from one that is believed."""
        if self._all or not self._networks:
            return self._all
        try:
            client = ip_address((scope.get("client") or ("",))[0])
        except ValueError:
            return False
        client = getattr(client, "ipv4_mapped", None) or client
        return any(client in network for network in self._networks)

    def as_seen(self, scope: Scope) -> Scope:
        """The request as its reader sent it: host, prefix and path. Scheme and reader's address are
        uvicorn's to find out. Raises Misled."""
        prefix, headers = self.prefix or scope.get("root_path", ""), scope["headers"]
        if self.trust(scope):
            host = _last(headers, b"x-forwarded-host")
            if host:
                others = [(name, value) for name, value in headers if name != b"host"]
                headers = [(b"host", host.encode("latin-1")), *others]
            if not prefix:
                prefix = _prefix_of(_last(headers, b"x-forwarded-prefix"))
        path, raw = scope["path"], scope.get("raw_path")
        if path != prefix and not path.startswith(prefix + "/"):
            path = prefix + path
            raw = raw and prefix.encode() + raw
        seen = {"headers": headers, "root_path": prefix, "path": path, "raw_path": raw}
        return {**scope, **seen, "app_root_path": prefix}  # the last: for applications around ours


def _parts(text: str) -> list[str]:
    return [part for one in text.split(",") if (part := one.strip())]


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise BadInput(
            f"--forwarded-allow-ips {short(text)} is no address of a proxy; expected addresses or "
            "networks with commas between (10.0.0.2,10.1.0.0/16), or *"
        ) from None


def _last(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    """What the nearest proxy says: each one appends, and what stands before it anybody may have
    sent."""
    values = [value for key, value in headers if key == name]
    return values[-1].decode("latin-1").rpartition(",")[2].strip() if values else ""


def _prefix_of(given: str) -> str:
    try:
        return checked_prefix(given)
    except BadInput:
        raise Misled(f"X-Forwarded-Prefix {short(given)} is no path that a site has") from None
