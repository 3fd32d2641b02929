"""Sending a response: with an ETag, compressed, or as "not modified"."""

import gzip
import hashlib

from starlette.requests import Request
from starlette.responses import Response

_SMALL = 1400
"""Bytes below which compressing does not save a network packet."""


def answer(
    request: Request, body: bytes, mime: str, status: int = 200, cache: str = "no-cache"
) -> Response:
    """`body` with an ETag and compressed where the reader takes it; 304 where nothing changed."""
    etag = f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
    headers = {"etag": etag, "cache-control": cache, "vary": "accept-encoding"}
    if status == 200 and etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if len(body) > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 4)
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, mime)
