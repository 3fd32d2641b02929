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
    body = written.body
    if len(body) > _SMALL and takes_gzip(request.headers.get("accept-encoding", "")):
        body = written.packed
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, mime)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip: it names it, and not with a weight of 0."""
    for one in accepted.split(","):
        name, _, weight = one.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
