"""Pages have a plain route before FastAPI's: both give the same answer to whatever is asked."""

from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route
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
        "/models/tinynet/conv0/1.preview.jpg",
        "/models/tinynet.preview.jpg",
        "/models/x.preview.jpg",
    ),
    *("/circuits/tinynet/conv0/1", "/circuits/tinynet/conv0/1.svg", "/circuits/x/y/1.graph.json"),
    *("/models/tin%79net", "/models/a%2Fb", "/models/%00", "/models/t%3Fx", "/nothing/here"),
]


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[Client, Client]:
    """The site, and the site with the routes of FastAPI alone."""
    quick, plain = create_app(Library([folder])), create_app(Library([folder]))
    routes = plain.router.routes
    kept = [one for one in routes if type(one) is not Route or one.path == "/openapi.json"]
    left = {one.path.replace(":path}", "}") for one in routes if one not in kept}
    quicker = [one for one in PAGES if one.target.pattern not in SLOWER]
    files = {one.target.pattern + file.ending for one in quicker for file in one.files}
    assert left == {one.target.pattern for one in quicker} | files
    assert sum(isinstance(one, APIRoute) for one in kept) > 2 * len(PAGES) - 2
    plain.router.routes[:] = kept
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
