"""Asking the site without a server."""

import asyncio
from collections.abc import Mapping

import httpx


class Client:
    """A browser's side of HTTP, in process. Follows no redirect."""

    def __init__(self, app: object) -> None:
        self.app = app

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://site:80") as client:
                return await client.request(method, path, headers=headers, content=body)

        return asyncio.run(run())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, {k.replace("_", "-"): v for k, v in headers.items()})
