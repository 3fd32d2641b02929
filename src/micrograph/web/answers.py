"""Sending a response: with an ETag, compressed, or as "not modified"."""

from starlette.requests import Request
from starlette.responses import Response

from micrograph.web.kept_pages import Written

_SMALL = 1400
"""Bytes below which compressing does not save a network packet."""


def answer(
    request: Request, written: Written, mime: str, status: int = 200, cache: str = "no-cache"
) -> Response:
    """`written` with an ETag and compressed where the reader takes it; 304 where it has it."""
    headers = {"etag": written.etag, "cache-control": cache, "vary": "accept-encoding"}
    if status == 200 and written.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if written.length > _SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(written.packed, status, {**headers, "content-encoding": "gzip"}, mime)
    return Response(written.body, status, headers, mime)
