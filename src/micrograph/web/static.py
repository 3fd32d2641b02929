"""The site's own files, under a path that names their version."""

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from micrograph.web.html import STATIC
from micrograph.web.images import FOREVER


class StaticForever(StaticFiles):
    """Files that never change under their URL, because it holds a digest of them all."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["cache-control"] = FOREVER
        return answer
