"""What is no HTTP, or hardly: with a real server, and bytes written by hand. Each gets an answer
that refuses it, or a closed connection, and whoever comes next is served."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_server import sent, serving

from micrograph.atlas import Library
from micrograph.web import create_app

HOST = b"Host: localhost\r\nConnection: close\r\n"
PAGE = b"GET /about HTTP/1.1\r\n" + HOST
LOOK = (
    b"POST /models/tinynet/look HTTP/1.1\r\n"
    + HOST
    + b"Origin: http://localhost\r\nContent-Type: image/png\r\n"
)
REFUSED = {
    "nothing": b"",
    "an empty line": b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "NULs": b"\0" * 5000,
    "one word": b"GET\r\n\r\n",
    "no version": b"GET /about\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long path": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long header": PAGE + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
    "many headers": PAGE + b"X: a\r\n" * 50_000 + b"\r\n",
    "a header without a name": PAGE + b": x\r\n\r\n",
    "a name with a space": PAGE + b"Content-Length : 5\r\n\r\n",
    "a NUL in a header": PAGE + b"X: a\0b\r\n\r\n",
    "no host": b"GET /about HTTP/1.1\r\n\r\n",
    "two hosts": PAGE + b"Host: evil.example\r\n\r\n",
    "two lengths": LOOK + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "a negative length": LOOK + b"Content-Length: -5\r\n\r\n",
    "a length in words": LOOK + b"Content-Length: five\r\n\r\n",
    "an absurd length": LOOK + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "length and chunks": LOOK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": LOOK + b"Transfer-Encoding: x\r\n\r\n",
    "no number of a chunk": LOOK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "an absurd chunk": LOOK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "half of a body": LOOK + b"Content-Length: 500\r\n\r\nabc",
    "half of a head": PAGE,
    "a proxy's request": b"CONNECT evil.example:443 HTTP/1.1\r\nConnection: close\r\n\r\n",
    "an address elsewhere": b"GET http://evil.example/about HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
UNFINISHED = {
    "nothing",
    "an empty line",
    "no HTTP",
    "NULs",
    "an absurd length",
    "an absurd chunk",
    "half of a body",
    "half of a head",
}
"""Whoever sends that leaves; others wait for what comes back."""
SERVED = {
    "another version": b"GET /about HTTP/9.9\r\n" + HOST + b"\r\n",
    "an older version": b"GET /about HTTP/1.0\r\n" + HOST + b"\r\n",
    "two at once": PAGE.replace(b"close", b"keep-alive") + b"\r\n" + PAGE + b"\r\n",
    "a body of a GET": PAGE + b"Content-Length: 3\r\n\r\nabc",
    "an upgrade": PAGE.replace(b"close", b"Upgrade, close") + b"Upgrade: h2c\r\n\r\n",
    "a socket": PAGE.replace(b"close", b"Upgrade, close")
    + b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    "headers in other cases": PAGE.replace(b"Host: l", b"hOsT: L").replace(b"Conn", b"cONN")
    + b"\r\n",
}


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    with serving(create_app(Library([folder]))) as port:
        yield port


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)]


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_http_is_refused(port: int, what: str, caplog) -> None:
    with caplog.at_level(logging.ERROR):
        found = statuses(sent(port, REFUSED[what], what in UNFINISHED))
        assert all(400 <= status < 500 or status == 501 for status in found), found
        assert statuses(sent(port, PAGE + b"\r\n")) == [200]
    assert not caplog.records


@pytest.mark.parametrize("what", SERVED)
def test_what_is_odd_is_served(port: int, what: str, caplog) -> None:
    with caplog.at_level(logging.ERROR):
        found = statuses(sent(port, SERVED[what]))
    assert {*found} == {200}
    assert not caplog.records


def test_the_answer_to_head_has_no_body(port: int) -> None:
    head = sent(port, b"HEAD /about HTTP/1.1\r\n" + HOST + b"\r\n")
    page = sent(port, PAGE + b"\r\n")
    assert head.endswith(b"\r\n\r\n")
    dates = re.compile(rb"date: .*\r\n")
    assert dates.sub(b"", head) == dates.sub(b"", page).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
