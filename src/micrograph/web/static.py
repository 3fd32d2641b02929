"""The site's own files, under a path that names their version."""

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from micrograph.web.html import STATIC
from micrograph.web.images import FOREVER


class StaticForever(StaticFiles):
    """Files that never change under their URL, because it holds a digest of them all."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Files are small, and sent whole: what asks for a part of one need not be understood."""
        whole = [pair for pair in scope["headers"] if pair[0] != b"range"]
        await super().__call__({**scope, "headers": whole}, receive, send)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["cache-control"] = FOREVER
        return answer
