"""The one secret that opens a site on a network."""

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from micrograph.errors import BadInput

COOKIE = "micrograph_token"
SHORTEST = 16
"""Characters that a token has at least: nobody is kept from guessing."""


class Token:
    """Compared in constant time, and shown nowhere: a browser keeps what follows from it.

    Raises BadInput for one that is easy to guess or cannot be sent; `source` says where it stands.
    """

    def __init__(self, secret: str, source: str = "the token") -> None:
        secret = secret.strip()
        if len(secret) < SHORTEST or not all("!" <= sign <= "~" for sign in secret):
            raise BadInput(
                f"{source} holds no token; expected one line of {SHORTEST} or more letters, digits "
                "and signs without spaces, such as `openssl rand -hex 32` gives"
            )
        self._digest = hashlib.sha256(secret.encode()).digest()
        self.cookie = hmac.new(secret.encode(), b"micrograph cookie", "sha256").hexdigest()
        """What a browser is given to keep in place of the token."""

    def fits(self, given: str) -> bool:
        """Whether this is the token."""
        digest = hashlib.sha256(given.strip().encode(errors="replace")).digest()
        return hmac.compare_digest(digest, self._digest)

    def allows(self, headers: Headers) -> bool:
        """Whether a request with these headers shows that its sender has the token."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.fits(given):
            return True
        kept = (_cookie(line) for line in headers.getlist("cookie"))
        return any(hmac.compare_digest(one.encode(), self.cookie.encode()) for one in kept)


def _cookie(line: str) -> str:
    """Ours among the cookies of a header, "" where it is not there or the header is none."""
    try:
        found = SimpleCookie(line).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
