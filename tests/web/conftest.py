"""The site over a small atlas, asked without a server."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import lens_samples
import pytest
import web_samples

from micrograph.atlas import Library
from micrograph.web import create_app


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


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample atlas in it. Not to be written to."""
    folder = tmp_path_factory.mktemp("atlases")
    web_samples.write(folder)
    return folder


@pytest.fixture(scope="session")
def client(folder: Path) -> Client:
    return Client(create_app(Library([folder])))


@pytest.fixture(scope="session")
def lensed(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The site over an atlas with results of every lens."""
    folder = tmp_path_factory.mktemp("lensed")
    lens_samples.write(folder)
    return Client(create_app(Library([folder])))


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """A client of a site over other folders."""
    return lambda *folders, **more: Client(create_app(Library(folders), **more))
