"""What holds for every answer of the site, whatever was asked."""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

from asked import Answered, Asked
from hostile_requests import MARK
from html_document import Document

MOST_BYTES = 2 << 20
"""Of an answer as text: a page of a small atlas is far smaller."""
GUARDED = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "permissions-policy",
)
WORKING = re.compile(r"/(look|render|map|on-picture(\.json)?)\Z")
"""Addresses behind which somebody has to work; that may be impossible here."""
ERROR = {"kind", "title", "status", "message", "nearest"}
PICTURES = {"image/png", "image/webp", "image/avif", "image/jpeg"}
EVENTS = "text/event-stream; charset=utf-8"
HTML, JSON, STREAM = "text/html; charset=utf-8", "application/json", "application/x-ndjson"
DRAWN = re.compile(r"data:image/(png|webp|jpeg);base64,[A-Za-z0-9+/]+={0,2}")
"""A picture that stands in the page itself: of pixels, never SVG, in which scripts can be."""
STATIC = {"text/css", "text/javascript", "image/svg+xml"}


def check(asked: Asked, answered: Answered) -> None:
    """Raises AssertionError where an answer breaks a rule."""
    assert answered.error is None, f"raised {answered.error!r}"
    status = answered.status
    assert 200 <= status < 500 or _is_work(asked, answered) or _is_form(asked, answered), (
        f"is {status}"
    )
    for name in GUARDED:
        assert answered.header(name), f"has no {name}"
    _check_headers(answered)
    if asked.method == "HEAD" or answered.status in (204, 304):
        # In process a HEAD is answered as GET: servers leave the body away.
        assert asked.method == "HEAD" or not answered.body
    elif answered.header("content-encoding"):
        accepted = [v for k, v in asked.headers if k == "accept-encoding"]
        assert {"gzip", "*"} & {*re.split("[,; ]+", accepted[0])}, f"is packed, for {accepted}"
        assert "q=0" not in accepted[0], "is packed, though that was refused"
        _check_body(asked, answered, gzip.decompress(answered.body))
    else:
        _check_body(asked, answered, answered.body)


def _is_work(asked: Asked, answered: Answered) -> bool:
    return answered.status == 503 and WORKING.search(asked.path) is not None


def _is_form(asked: Asked, answered: Answered) -> bool:
    """oEmbed wants 501 for a form of the answer that is not written."""
    return answered.status == 501 and "/oembed" in asked.path


def _check_headers(answered: Answered) -> None:
    for name, value in answered.headers:
        assert not {*"\r\n\0"} & {*name, *value}, f"{name} is more than one line"
        assert name != "x-injected"
        assert MARK not in value, f"{name} says what was sent as it was"
    if 300 <= answered.status < 400 and answered.status != 304:
        place = answered.header("location")
        assert re.match(r"/(?!/|\\)", place), f"leads elsewhere: {place}"
    if answered.status >= 400:
        assert "immutable" not in answered.header("cache-control")
    if answered.status == 405:
        assert answered.header("allow")


def _check_body(asked: Asked, answered: Answered, body: bytes) -> None:
    kind, length = answered.header("content-type"), answered.header("content-length")
    assert len(body) <= MOST_BYTES, f"has {len(body)} bytes"
    assert not length or int(length) == len(answered.body)
    if 300 <= answered.status < 400:
        assert not body
    elif kind == JSON:
        check_json(answered.status, body)
    elif kind == STREAM:
        told = body.splitlines()[-1]  # what went wrong behind the first line comes as a line
        check_json(json.loads(told).get("status", 200), told)
    elif kind == EVENTS:
        assert asked.path.endswith("/live")
        check_events(body)
    elif kind == HTML:
        assert not wants_data(asked), "is a page where data was asked for"
        _check_html(body.decode())
    elif answered.status in (200, 206):
        assert kind.partition(";")[0] in PICTURES | STATIC, f"is {kind}"
    elif kind == "text/plain; charset=utf-8":  # by another name the site has no pages
        assert answered.status == 403
        assert not wants_data(asked)
    else:
        raise AssertionError(f"is {kind or 'of no type'}")
    if answered.status >= 400:
        assert len(body) < 20_000, "an error that says too much"


def wants_data(asked: Asked) -> bool:
    """Whether a program asks: for a twin, or for what has no page."""
    path = asked.path
    parts = path.split("/")[2:]
    work = path.startswith("/models/") and all(parts) and len(parts) == 4 and parts[3] == "map"
    return path.endswith(".json") or path == "/resolve" or work or asked.method == "POST"


def check_json(status: int, body: bytes) -> None:
    """Raises AssertionError unless it is JSON, and that of errors where it is one."""
    found = json.loads(body, parse_constant=_refuse)
    if status < 400:
        return
    assert isinstance(found, dict)
    assert found.keys() == ERROR, f"an error with {sorted(found)}"
    assert (found["kind"], found["status"]) == ("error", status)
    message = found["message"]
    assert message.strip(), "an error without words"
    assert len(message) < 1500, "an error of many words"
    assert message.isprintable(), f"an error with control characters: {message!r}"


def check_events(body: bytes) -> None:
    """Raises AssertionError unless these are the events of a live picture, with JSON each, the last
    of which says that it is done or why not."""
    assert body.endswith(b"\n\n")
    blocks = [b.split("\n") for b in body.decode()[:-2].split("\n\n") if not b.startswith(":")]
    assert all(len(block) == 2 for block in blocks)
    names = [block[0].removeprefix("event: ") for block in blocks]
    assert {*names} <= {"step", "frame", "stored", "failed"}
    assert all(block[1].startswith("data: ") for block in blocks)
    told = [json.loads(block[1][6:], parse_constant=_refuse) for block in blocks]
    assert names[-1] in ("failed", "frame")
    if names[-1] == "failed":
        assert told[-1].keys() == {"message", "status"}
        assert 400 <= told[-1]["status"] != 500
        assert told[-1]["message"].isprintable()
        assert 0 < len(told[-1]["message"]) < 1500


def _refuse(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def _check_html(text: str) -> None:
    page = Document(text)
    assert page.open == [], f"leaves {page.open} open"
    assert len(page.all("h1")) == 1
    assert page.inline_scripts == []
    assert "x" not in [tag for tag, _ in page.tags], "an element that was sent"
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids)), "two elements of one id"
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src", "action"):
            url = attributes.get(name) or "/"
            if (tag, name) == ("img", "src") and DRAWN.fullmatch(url):
                continue
            assert re.match(r"/(?!/)|#|https?://|\?", url), f"{name} is {url}"
    assert "\0" not in text


def same(one: Answered, other: Answered) -> str:
    """How two answers differ, "" where they do not."""
    parts: list[tuple[str, Callable[[Answered], Any]]] = [
        ("status", lambda a: a.status),
        ("headers", lambda a: sorted(a.headers)),
    ]
    return ", ".join(f"{n}: {of(one)} {of(other)}" for n, of in parts if of(one) != of(other))
