"""Over loopback a request has to name this machine: a real server, and requests by hand."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from micrograph.atlas import Library
from micrograph.web import create_app
from micrograph.web.serve import bind


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listener = bind("127.0.0.1", 0)
    app = create_app(Library([]), hosts=["Lab.Example"])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def status(port: int, *headers: str, path: str = "/about") -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        lines = [f"GET {path} HTTP/1.1", "Connection: close", *headers, "", ""]
        link.sendall("\r\n".join(lines).encode())
        answer = b""
        while part := link.recv(65536):
            answer += part
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "lab.example", "lab.example:8000"]
)
def test_names_of_the_site(port: int, name: str) -> None:
    assert status(port, f"Host: {name}") == 200


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[::1",
        "[",
        "",
        "a b",
        "@",
    ],
)
@pytest.mark.parametrize("path", ["/", "/models.json", "/static/x", "/images/m/x.png", "/nowhere"])
def test_other_names_are_refused_whatever_is_asked_for(port: int, name: str, path: str) -> None:
    assert status(port, f"Host: {name}", path=path) == 403


@pytest.mark.parametrize("origin", ["http://[::1", "http://evil.example", "null", "//", "x"])
def test_an_origin_of_elsewhere_is_refused(port: int, origin: str) -> None:
    path = "/models/toytown/conv0/0/map?dataset=x&number=0"
    assert status(port, "Host: localhost", f"Origin: {origin}", path=path) == 403
