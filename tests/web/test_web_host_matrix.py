"""Every route, asked in every way, by every name: who is answered, and who may start work."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from asked import Answered, Asked, ask
from hostile_requests import Route, routes_of

from micrograph.atlas import Library
from micrograph.web import create_app

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
OWN = ("localhost", "LocalHost", "localhost:8000", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:80")
MAPPED = "[::ffff:127.0.0.1]:8000"
GIVEN = ("lab.example", "LAB.example:443")
OTHER = (
    "evil.example",
    "evil.example:8000",
    "localhost.",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "0.0.0.0",
    "10.0.0.1",
    "[::2]",
    "2130706433",
    "127.1",
)
MALFORMED = (
    "[",
    "[::1",
    "]",
    "a b",
    " localhost",
    "@",
    "user@localhost",
    "localhost:8000@evil.example",
    "localhost/evil.example",
    "localhost?x",
    "localhost#x",
    "localhost\\evil.example",
    "localhost:x",
    "localhost:999999",
    "localhost,evil.example",
    "localhost\0",
    "http://localhost",
    "\xe9",
)
LOOPBACK = ("127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1")
OPEN = ("192.168.1.4", "fd00::4", "")
APP = create_app(Library([]), hosts=["Lab.Example"])
ROUTES = routes_of(APP)
PLACES = {
    "model": "toytown",
    "node": "conv1",
    "unit": "3",
    "name": "x.png",
    "file": "x.css",
    "claim": "toytown/conv1/3=conv0/1",
}


def path_of(route: Route) -> str:
    return route.path.replace(":path}", "}").format_map(PLACES)


def answers(server: str, host: str, asked: list[Asked]) -> list[Answered]:
    """To requests that came to the address `server`, in the name `host`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await APP({**scope, "server": (server, 8000) if server else None}, receive, send)

    async def run() -> list[Answered]:
        named = [Asked(a.method, a.target, (("host", host), *a.headers)) for a in asked]
        return [await ask(app, one) for one in named]

    return asyncio.run(run())


EVERY = [Asked(method, path_of(route)) for route in ROUTES for method in METHODS]


def is_refused_by_name(answered: Answered) -> bool:
    assert answered.error is None
    assert answered.header("content-security-policy")
    told = answered.body.decode()
    return answered.status == 403 and ("is not called" in told or "no name of a host" in told)


@pytest.mark.parametrize("server", [*LOOPBACK, *OPEN])
def test_the_sites_own_names_are_answered(server: str) -> None:
    for host in (*OWN, MAPPED, *GIVEN):
        assert not any(map(is_refused_by_name, answers(server, host, EVERY[::17]))), host
    every = EVERY if server == LOOPBACK[0] else EVERY[::5]
    assert not any(map(is_refused_by_name, answers(server, "localhost", every)))


@pytest.mark.parametrize("host", [*OTHER, *MALFORMED, ""])
def test_over_loopback_other_names_are_refused_everywhere(host: str) -> None:
    assert all(map(is_refused_by_name, answers("127.0.0.1", host, EVERY)))
    for server in LOOPBACK:
        assert all(map(is_refused_by_name, answers(server, host, EVERY[::17])))


@pytest.mark.parametrize("server", OPEN)
def test_on_a_network_any_name_will_do_that_is_one(server: str) -> None:
    for host in (*OTHER, ""):
        assert not any(map(is_refused_by_name, answers(server, host, EVERY[::17]))), host
    for host in MALFORMED:
        assert all(map(is_refused_by_name, answers(server, host, EVERY[::17]))), host


HERE = "http://localhost:8000"
WORK = [Asked("POST", path_of(route)) for route in ROUTES if "POST" in route.methods]
WORK += dict.fromkeys(
    Asked("GET", path_of(route) + query)
    for route in ROUTES
    for end, query in (
        ("/map", "?dataset=x&number=0"),
        ("/on-picture.json", "?picture=car"),
        ("/live.json", "?run=1"),
        ("/live", ""),  # as events, see `sent_by`
    )
    if route.path.endswith(end) and "GET" in route.methods
)
"""What makes the site work for whoever asks."""
ORIGINS = (HERE, "http://localhost:9000", "http://evil.example", "null", "", "http://[", "//", "x")
ORIGINS += ("http://user@localhost:8000", "http://localhost", "localhost:8000", "http://[::1]:8000")
SITES = ("same-origin", "same-site", "cross-site", "none", "x", "")
ALLOWED = {
    "POST": {(HERE, "same-origin"), (HERE, None), (None, "same-origin")},
    "GET": {
        (HERE, "same-origin"),
        (HERE, "none"),
        (HERE, None),
        (None, "same-origin"),
        (None, "none"),
        (None, None),
    },
}
"""Origin and Sec-Fetch-Site of those who may start work: the site's own pages, and for what only
reads a reader's own program; browsers send both, and a page of another site can forge neither."""


def sent_by(asked: Asked, origin: str | None, site: str | None) -> Asked:
    given = {"origin": origin, "sec-fetch-site": site, "content-type": "application/json"}
    if asked.target.endswith("/look"):
        given["content-type"] = "image/png"
    if asked.method == "GET" and asked.target.endswith("/live"):
        given["accept"] = "text/event-stream"
    return Asked(
        asked.method, asked.target, tuple((k, v) for k, v in given.items() if v is not None)
    )


def test_work_is_started_by_the_sites_own_pages_only() -> None:
    assert Counter(one.method for one in WORK) == {"POST": 9, "GET": 4}
    for asked in WORK:
        for origin in (*ORIGINS, None):
            tried = [sent_by(asked, origin, site) for site in (*SITES, None)]
            for site, answered in zip(
                (*SITES, None), answers("127.0.0.1", "localhost:8000", tried), strict=True
            ):
                refused = answered.status == 403
                assert refused == ((origin, site) not in ALLOWED[asked.method]), (origin, site)
                assert answered.header("content-type") == "application/json"


def test_other_methods_start_nothing_whoever_asks() -> None:
    own = (("origin", HERE), ("sec-fetch-site", "same-origin"), ("content-type", "image/png"))
    tried = [
        Asked(method, asked.target, own)
        for asked in WORK
        for method in METHODS
        if Asked(method, asked.target) not in WORK and method not in (asked.method, "HEAD")
    ]
    found = answers("127.0.0.1", "localhost:8000", tried)
    assert {a.status for a in found} <= {400, 404, 405}
    assert {a.status for a, one in zip(found, tried, strict=True) if one.method != "GET"} == {405}


def test_what_only_reads_is_answered_wherever_it_is_asked_from() -> None:
    pages = [Asked("GET", path, (("origin", o),)) for path in ("/", "/about.json") for o in ORIGINS]
    assert {a.status for a in answers("127.0.0.1", "localhost:8000", pages)} == {200}
    for answered in answers("127.0.0.1", "localhost:8000", pages):
        assert not answered.header(
            "access-control-allow-origin"
        )  # no page of another site reads it
