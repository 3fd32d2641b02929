"""What the OpenAPI document says of answers that are none of what was asked for."""

from typing import Any

from micrograph.web.pages.other import ErrorPage

Responses = dict[int | str, dict[str, Any]]

FAILURES: Responses = {
    "4XX": {"model": ErrorPage, "description": "Why that cannot be answered, and what could be."},
    "5XX": {"model": ErrorPage, "description": "What is damaged or missing here."},
}
"""Wherever a program asks."""

TWINS: Responses = {
    "304": {"description": "It is as it was when it got the ETag in If-None-Match."},
    "307": {"description": "The place is spelled otherwise: its twin is there."},
    **FAILURES,
}
"""Of the twins of pages."""


def file_of(mime: str) -> Responses:
    """Of a page as a file."""
    binary = {"schema": {"type": "string"}} if mime != "application/json" else {"schema": {}}
    return {"200": {"content": {mime: binary}, "description": "The page as a file."}}


STREAMED: Responses = {
    "200": {
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        "description": "The answer; or, for who accepts application/x-ndjson, steps on the way, a "
        "line each, and in the last line the answer or an error.",
    },
    **FAILURES,
}
"""Of what takes a while."""

PICTURE_SENT = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/*", "application/octet-stream")
        },
    }
}
JSON_SENT: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": {}}}}}
