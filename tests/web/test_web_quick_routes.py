"""Pages have a plain route before FastAPI's: both give the same answer to whatever is asked."""

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount
from web_client import Client

from micrograph.atlas import Library
from micrograph.web import create_app
from micrograph.web.build import PAGES

LONG = "x" * 600
SLOWER = {
    "/models/{model}/{node}/{unit}/on-picture",  # somebody works for it
    "/models/{model}/{node}/{unit}/live",
}
"""Pages that only FastAPI's routes answer."""
ADDRESSES = [
    *("/", "/?x=1", "/models", "/models.json?page=1", "/models?page=x", "/models?page=99"),
    *("/about", "/about.json", "/search?q=cat", f"/search?q={LONG}", f"/search.json?q={LONG}"),
    *("/models/tinynet", "/models/TinyNet.json", "/models/nonesuch", "/models/tinynet?lens=x"),
    *("/models/tinynet/conv0", "/models/tinynet/conv0.json?sort=score", "/models/tinynet/conv9"),
    *("/models/tinynet/conv0/1", "/models/tinynet/conv0/1.json", "/models/tinynet/conv0/99"),
    *("/models/tinynet/conv0/x.json", "/models/tinynet/conv0/1?dataset=none", "/models//x"),
    *("/models/tinynet/conv0/1/", "/models/tinynet/", "/compare", "/compare?here=x&here=tinynet"),
    *("/claims", "/claims.json?text=x", "/claims/tinynet/conv0/1/mixed1a/2", "/claims/%20"),
    *(
        "/circuits/tinynet/conv0/1",
        "/circuits/tinynet/conv0/1.json",
        "/circuits/tinynet/conv0/1.svg",
    ),
    *("/models/tin%79net", "/models/a%2Fb", "/models/%00", "/models/t%3Fx", "/nothing/here"),
]


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Client, Client]:
    """The site, and the site with the routes of FastAPI alone."""
    quick, plain = create_app(Library([folder])), create_app(Library([folder]))
    paths = {
        one.path.replace(":path}", "}") for one in plain.router.routes if type(one) is not Mount
    }
    assert {one.target.pattern for one in PAGES} - SLOWER <= paths
    assert sum(isinstance(one, APIRoute) for one in plain.described.routes) > 2 * len(PAGES) - 2
    plain.router.routes.clear()
    return Client(quick), Client(plain)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_answers_are_the_same(both: tuple[Client, Client], method: str) -> None:
    for address in ADDRESSES if method == "GET" else ADDRESSES[::5]:
        found, expected = (client.ask(method, address) for client in both)
        assert found.status_code == expected.status_code, address
        assert found.content == expected.content, address
        assert dict(found.headers) == dict(expected.headers), address


def test_the_document_says_the_same(both: tuple[Client, Client]) -> None:
    found, expected = (client.get("/openapi.json").json() for client in both)
    assert found == expected


@pytest.mark.parametrize("path", ["/", "/about.json", "/models/tinynet/conv0/1", "/health"])
def test_pages_need_no_fastapi(folder: Path, path: str) -> None:
    """It is a fifth of what a process takes."""
    script = (
        "import sys; from pathlib import Path; from starlette.testclient import TestClient; "
        "from micrograph.atlas import Library; from micrograph.web import create_app; "
        f"app = create_app(Library([Path({str(folder)!r})])); "
        f"answer = TestClient(app, 'http://localhost').get({path!r}); "
        "assert answer.status_code == 200, answer.text; "
        "assert not {'fastapi', 'pydantic', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
