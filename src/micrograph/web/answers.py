"""Sending a response: with an ETag, compressed, or as "not modified"."""

from starlette.requests import Request
from starlette.responses import Response

from micrograph.web.conditional import accepts_gzip, is_known
from micrograph.web.kept_pages import Written

_SMALL = 1400
"""Bytes below which compressing does not save a network packet."""


def answer(
    request: Request, written: Written, mime: str, status: int = 200, cache: str = "no-cache"
) -> Response:
    """`written` compressed where the reader takes it, with an ETag of the bytes that are sent; 304
    where the reader has those."""
    packed = written.length > _SMALL and accepts_gzip(request.headers.get("accept-encoding", ""))
    etag = written.packed_etag if packed else written.etag
    headers = {"etag": etag, "cache-control": cache, "vary": "accept-encoding"}
    if status == 200 and is_known(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    if packed:
        return Response(written.packed, status, {**headers, "content-encoding": "gzip"}, mime)
    return Response(written.body, status, headers, mime)
