"""Pictures: from the atlas to the browser, once and for ever."""

import re

from starlette.requests import Request
from starlette.responses import Response

from micrograph.atlas import Snapshot
from micrograph.atlas.format import one_connection_a_file
from micrograph.errors import NotFound, short
from micrograph.parts.urls import EXTENSIONS, MIMES
from micrograph.web.conditional import is_known

FOREVER = "public, max-age=31536000, immutable"
_NAME = re.compile(r"([0-9a-f]{32})\.([a-z]{3,4})\Z")


def image_answer(library: Snapshot, request: Request, model: str, name: str) -> Response:
    """The picture `<digest>.<ext>` of a model. Raises NotFound."""
    match = _NAME.match(name)
    if match is None or match[2] not in MIMES:
        raise NotFound(
            f"{short(name)} names no picture; expected <32 hex digits>.<webp|avif|png|jpg>"
        )
    etag = f'"{match[1]}"'
    headers = {"etag": etag, "cache-control": FOREVER}
    if is_known(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    with one_connection_a_file():
        picture = library.model(model).picture(match[1])
    if picture is None or EXTENSIONS.get(picture.mime) != match[2]:
        raise NotFound(f"{model} has no picture {name}; its page names the ones it has")
    return Response(picture.data, headers=headers, media_type=picture.mime)
