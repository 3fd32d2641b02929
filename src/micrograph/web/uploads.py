"""Reading a picture that a reader sends."""

from starlette.requests import Request

from micrograph.errors import MicrographError


class TooLarge(MicrographError):
    """More bytes than are taken."""

    status = 413


class NoPicture(MicrographError):
    """A body whose type is not that of a picture."""

    status = 415


async def picture_bytes(request: Request) -> bytes:
    """The body of the request, of which never more than the limit is held.

    Raises NoPicture where it does not say that it is a picture, TooLarge where it is too long.
    """
    from micrograph.pictures import MAX_BYTES

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise NoPicture("send the bytes of a picture file (Content-Type: image/...)")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_BYTES:
        raise _too_large(MAX_BYTES)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BYTES:
            raise _too_large(MAX_BYTES)
    return bytes(data)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the picture has more than {most >> 20} MB; make it smaller")
