"""Sending a response: with an ETag, compressed, or as "not modified"."""

import gzip
import hashlib
import threading
from collections import OrderedDict

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
        body = _compressed(etag, body)
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, mime)


_KEPT = 16
"""Long bodies that are kept compressed."""
_LONG = 100_000
"""Bytes from which on compressing takes longer than most pages take to make."""
_LOCK = threading.Lock()
_LAST: OrderedDict[str, bytes] = OrderedDict()


def _compressed(etag: str, body: bytes) -> bytes:
    """The list of a large library is the same for every reader: it is compressed once."""
    with _LOCK:
        if etag in _LAST:
            _LAST.move_to_end(etag)
            return _LAST[etag]
    packed = gzip.compress(body, 4)
    if len(body) >= _LONG:
        with _LOCK:
            _LAST[etag] = packed
            while len(_LAST) > _KEPT:
                _LAST.popitem(last=False)
    return packed
