"""Requests as a server hands them to the site, byte by byte: what an HTTP library would put right
on its way stays wrong."""

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Asked:
    """One request. `target` is the path with its query, as it stands in a request's first line."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """As servers hand it on: decoded, with whatever that gives."""
        return unquote(self.target.partition("?")[0])

    def line(self) -> str:
        """The request as one line of JSON, which `of_line` reads."""
        body = base64.b64encode(self.body).decode()
        return json.dumps([self.method, self.target, [*self.headers], body])

    @classmethod
    def of_line(cls, line: str) -> "Asked":
        method, target, headers, body = json.loads(line)
        return cls(method, target, tuple((k, v) for k, v in headers), base64.b64decode(body))


@dataclass
class Answered:
    """What came back. `error` is what the application raised, also where it had answered before."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    error: Exception | None = None

    def header(self, name: str) -> str:
        """The value of a header that may come once, "" without it."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, f"{name} comes {len(found)} times"
        return found[0] if found else ""


async def ask(app: Any, asked: Asked) -> Answered:
    """The application's answer to a request."""
    found = Answered()
    path, _, query = asked.target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in asked.headers],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "state": {},
    }
    parts = [{"type": "http.request", "body": asked.body, "more_body": False}]
    ended = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        await ended.wait()  # the reader stays until everything is sent
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            found.status = message["status"]
            found.headers = [
                (k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]
            ]
        elif message["type"] == "http.response.body":
            found.body += message.get("body", b"")

    try:
        await app(scope, receive, send)
    except Exception as error:
        found.error = error
    finally:
        ended.set()
    return found


def ask_all(app: Any, requests: Sequence[Asked]) -> list[Answered]:
    """The answers to requests that come one after the other."""

    async def run() -> list[Answered]:
        return [await ask(app, one) for one in requests]

    return asyncio.run(run())
