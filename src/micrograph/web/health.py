"""Whether the site answers, for whatever watches over it."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

HEALTH = "/health"


def add_health_route(app: FastAPI) -> None:
    """`/health`: answers at once and reads no atlas, so that it says of this process only."""

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    app.add_route(HEALTH, health, ["GET"], include_in_schema=False)
