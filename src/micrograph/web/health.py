"""Whether the site answers, for whatever watches over it: reads no atlas, so that it says of this
process only."""

from starlette.responses import Response

HEALTH = "/health"


def health_answer() -> Response:
    """`{"status": "ok"}`."""
    headers = {"cache-control": "no-store"}
    return Response(b'{"status":"ok"}', headers=headers, media_type="application/json")
