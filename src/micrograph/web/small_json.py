"""JSON that is sent along with a request, of a bounded length."""

import json
from collections.abc import Collection
from typing import Any

from starlette.requests import Request

from micrograph.errors import BadInput, short


async def sent_question(
    request: Request, asks: Collection[str], longest: int, usual: str | None = None
) -> dict[str, Any]:
    """The JSON object of a request, whose `do` is one of `asks`; `usual` where it says nothing.

    Raises BadInput as soon as more than `longest` bytes came, and for anything else.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > longest:
            raise BadInput(f"more than {longest:,} bytes were sent; expected a short JSON object")
    try:
        found = json.loads(body or b"{}")
        shown = short(found)
    except (ValueError, RecursionError):  # of lists in lists without end, too
        raise BadInput(f"{short(body[:80])} is no JSON; expected an object with do") from None
    if isinstance(found, dict) and usual is not None:
        found = {"do": usual, **found}
    if not isinstance(found, dict) or found.get("do") not in asks:
        raise BadInput(f"{shown} asks nothing; expected do: {', '.join(asks)}")
    return found
