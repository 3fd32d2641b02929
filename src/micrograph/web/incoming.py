"""The pictures of readers that are on their way in: few at a time, decoded one by one."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from micrograph.errors import Conflict
from micrograph.heap import give_back

if TYPE_CHECKING:
    from PIL import Image

AT_ONCE = 4
"""Pictures that are read and decoded at a time; whoever comes then is told before it is read."""
LARGE = 4_000_000
"""Pixels of a picture after which the memory that it took is given back."""
ENOUGH = 1024
"""Short side in pixels, more than which no network sees; larger pictures are reduced towards it."""


class IncomingPictures:
    """Turns for readers who send one."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        # One thread, not one at a time of many: each thread would keep memory of its own that it
        # once had, as much as the largest picture.
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decode")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While a picture is read and decoded. Raises Conflict where too many are."""
        if not self._turns.acquire(blocking=False):
            raise Conflict("several pictures are being sent already; try again soon")
        try:
            yield
        finally:
            self._turns.release()

    def decoded(self, data: bytes) -> "tuple[Image.Image, tuple[int, int]]":
        """The picture, reduced where it is large, and its own (width, height). One at a time: a
        small file may hold a picture of hundreds of megabytes. Raises BadInput."""
        return self._decoder.submit(_decoded, data).result()


def _decoded(data: bytes) -> "tuple[Image.Image, tuple[int, int]]":
    from micrograph.pictures import decode_reduced  # Pillow: not before it is needed

    width = height = LARGE  # of one that is refused half-way, perhaps
    try:
        image, (width, height) = decode_reduced(data, "that was sent", ENOUGH)
        return image, (width, height)
    finally:
        if width * height >= LARGE:
            give_back()
