"""Whether the site answers, for whatever watches over it."""

from fastapi import FastAPI
from starlette.responses import Response

from micrograph.web.described import FAILURES

HEALTH = "/health"


def add_health_route(app: FastAPI) -> None:
    """`/health`: answers at once and reads no atlas, so that it says of this process only."""

    @app.get(HEALTH, responses=FAILURES)
    async def health(response: Response) -> dict[str, str]:
        """Whether this process answers: `{"status": "ok"}`."""
        response.headers["cache-control"] = "no-store"
        return {"status": "ok"}
