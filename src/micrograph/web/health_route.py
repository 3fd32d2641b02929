"""The address of a site's health in its OpenAPI document."""

from fastapi import FastAPI
from starlette.responses import Response

from micrograph.web.described import FAILURES
from micrograph.web.health import HEALTH, health_answer


def add_health_route(app: FastAPI) -> None:
    """As `health_answer`."""

    @app.get(HEALTH, response_model=dict[str, str], responses=FAILURES)
    async def health() -> Response:
        """Whether this process answers: `{"status": "ok"}`."""
        return health_answer()
