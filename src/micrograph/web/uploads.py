"""Reading a picture that a reader sends."""

import asyncio

from starlette.requests import Request

from micrograph.errors import MicrographError

SECONDS = 30.0
"""How long a picture may take to arrive."""


class TooLarge(MicrographError):
    """More bytes than are taken."""

    status = 413


class TooSlow(MicrographError):
    """A body that does not arrive."""

    status = 408


class NoPicture(MicrographError):
    """A body whose type is not that of a picture."""

    status = 415


async def picture_bytes(request: Request) -> bytes:
    """The body of the request, of which never more than the limit is held.

    Raises NoPicture where it does not say that it is a picture, TooLarge where it is too long,
    TooSlow where it does not come.
    """
    from micrograph.pictures import MAX_BYTES

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise NoPicture("send the bytes of a picture file (Content-Type: image/...)")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_BYTES:
        raise _too_large(MAX_BYTES)
    data = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > MAX_BYTES:
                    raise _too_large(MAX_BYTES)
    except TimeoutError:
        raise TooSlow(f"the picture did not arrive in {SECONDS:.0f} seconds") from None
    return bytes(data)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the picture has more than {most >> 20} MB; make it smaller")
