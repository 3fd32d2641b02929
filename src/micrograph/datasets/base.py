"""What a dataset is, whatever it is made of."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from PIL import Image

from micrograph.errors import BadInput, Conflict, Unavailable, short
from micrograph.pictures import MAX_BYTES, decode
from micrograph.published.digests import digest_of_pictures


@dataclass(frozen=True)
class Entry:
    """One picture: what the dataset calls it, and the number of its class or -1."""

    name: str
    cls: int = -1


@dataclass(frozen=True)
class Dataset:
    """Pictures numbered from 0 in an order that never changes.

    `name` is short and fits an address, `title` is for people. `digest` (64 hex digits) stands for
    which pictures, in what order, with which classes; a model's input size is no part of it.
    `picture(number)` is RGB of any size; it raises BadInput for a picture that cannot be read,
    Conflict for one that has changed since the dataset was opened, Unavailable for one that has
    gone since. `left_out` counts what was not taken for a picture, by reason. Pictures that may not
    be passed on (`published` sets) stay out of atlases, which name them only.
    """

    spec: str
    name: str
    title: str
    digest: str
    entries: Sequence[Entry]
    picture: Callable[[int], Image.Image]
    classes: tuple[str, ...] = ()
    licence: str = ""
    left_out: Mapping[str, int] = field(default_factory=Counter)
    published: bool = False

    def __len__(self) -> int:
        return len(self.entries)


def of_files(
    spec: str,
    name: str,
    title: str,
    entries: Sequence[Entry],
    read: Callable[[int], bytes],
    *,
    classes: Sequence[str] = (),
    licence: str = "",
    left_out: Mapping[str, int] | None = None,
) -> Dataset:
    """A dataset of encoded pictures: `read(number)` gives the bytes of one, or raises OSError.

    Its digest is the SHA-256 over the classes and, for each picture, name, class and the SHA-256 of
    its bytes (one that cannot be read counts as such). All are read for that, once, and a picture
    whose bytes are other ones when its turn comes is noticed.
    """
    if not entries:
        others = sum((left_out or {}).values())
        raise BadInput(
            f"dataset {short(spec, 200)} has no pictures"
            + (f" ({others} other files)" if others else "")
            + "; expected jpg, png, webp, avif, gif, bmp or tif files"
        )

    def content(number: int) -> bytes:
        try:
            return hashlib.sha256(read(number)).digest()
        except OSError:
            return b""

    with ThreadPoolExecutor(4) as pool:
        contents = list(pool.map(content, range(len(entries))))
    digest = digest_of_pictures(
        classes,
        ((e.name, e.cls, content.hex()) for e, content in zip(entries, contents, strict=True)),
    )

    def picture(number: int) -> Image.Image:
        called = entries[number].name
        try:
            data = read(number)
        except OSError as error:
            said = f"cannot read the picture {short(called, 200)}: {error.strerror or error}"
            if not contents[number]:
                raise BadInput(said) from None
            raise Unavailable(
                f"{said}; it was there when the dataset was opened: bring it back, and run again"
            ) from None
        if hashlib.sha256(data).digest() != contents[number]:
            raise Conflict(
                f"picture {short(called, 200)} of {short(spec, 200)} has changed since the dataset "
                "was opened; start again when nobody writes to it"
            )
        return decode(data, called)

    return Dataset(
        spec,
        name,
        title,
        digest,
        tuple(entries),
        picture,
        tuple(classes),
        licence,
        Counter(left_out or {}),
    )


READ_LIMIT = MAX_BYTES + 1
"""Bytes of a file that are read: enough to see that it is too large."""

ENDINGS = frozenset({"jpg", "jpeg", "png", "webp", "avif", "gif", "bmp", "tif", "tiff"})
"""What a picture's file name ends in."""


def plain_name(text: str) -> str:
    """Text as an address allows it: a dataset is a variant, and so part of a URL."""
    return re.sub(r"[^A-Za-z0-9_.\-]+", "-", text).strip("-.")[:60] or "pictures"
