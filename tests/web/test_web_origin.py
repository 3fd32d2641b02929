"""Who may ask a site on this machine to do something."""

import pytest
from starlette.requests import Request

from micrograph.web.origin import Refused, check_host, check_same_origin


def request(server: str, host: str, origin: str | None, **more: str) -> Request:
    headers = {"content-type": "application/json", "host": host} | more
    if origin is not None:
        headers["origin"] = origin
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": b"",
            "server": (server, 8000),
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        }
    )


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("127.0.0.1", "localhost:8000"),
        ("::1", "[::1]:8000"),
        ("::ffff:127.0.0.1", "127.0.0.1:8000"),
        ("127.0.0.2", "127.0.0.2:8000"),
        ("192.168.1.4", "lab.example:8000"),
    ],
)
def test_the_sites_own_pages_may(server, host):
    check_host(server, host, ())
    check_same_origin(request(server, host, f"http://{host}"))


@pytest.mark.parametrize(
    ("server", "host", "origin"),
    [
        ("127.0.0.1", "evil.example:8000", "http://evil.example:8000"),
        ("::1", "evil.example:8000", "http://evil.example:8000"),
        ("::ffff:127.0.0.1", "evil.example:8000", "http://evil.example:8000"),
        ("127.0.0.2", "10.0.0.1:8000", "http://10.0.0.1:8000"),
        ("127.0.0.1", "localhost:8000", "http://localhost:9000"),
        ("127.0.0.1", "localhost:8000", "null"),
        ("127.0.0.1", "localhost:8000", None),
        ("127.0.0.1", "", "http://localhost:8000"),
        ("127.0.0.1", "localhost:8000", "http://[::1"),
        ("192.168.1.4", "[::1", "http://lab.example"),
    ],
)
def test_others_may_not(server, host, origin):
    with pytest.raises(Refused):
        asked(server, host, origin)


def asked(server: str, host: str, origin: str | None) -> None:
    """What is checked of every request, then of one that starts work."""
    check_host(server, host, ())
    check_same_origin(request(server, host, origin))
