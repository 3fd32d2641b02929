"""What a request says of what it takes and has: Accept-Encoding and If-None-Match (RFC 9110)."""

import re
from functools import lru_cache

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")|\*')


@lru_cache(64)
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an answer may be compressed by gzip. What names gzip, even to refuse it, counts
    before what is said of all encodings."""
    shares: dict[str, float] = {}
    for one in accept_encoding.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        shares[name] = min((_share(p[2:]) for p in parameters if p.startswith("q=")), default=1.0)
    return shares.get("gzip", shares.get("x-gzip", shares.get("*", 0.0))) > 0


def _share(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](?:\.\d{0,3})?", text) else 0.0


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether a reader has what `etag` tags, or said that anything will do. Tags that a proxy
    weakened on the way are as good: nobody asks for ranges of a page."""
    return any(found[0] == "*" or found[1] == etag for found in _TAG.finditer(if_none_match))
