"""What a network saw of the pictures of the reader's own copy, as files for a page."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from io import BytesIO
from typing import Any

from micrograph.cards.preprocessing import Preprocessing
from micrograph.errors import MicrographError
from micrograph.published.copies import Copy, copy_of
from micrograph.published.lists import Edition, Listing

MIME = "image/jpeg"
_QUALITY = 90
_LARGEST = 1024
"""Side of a network's input, pixels, at most: an atlas may say anything."""
_METHODS = ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos")
_KEPT_BYTES = 8 << 20
"""Encoded pictures that stay in memory: about 300 of 224 px. Browsers keep them, too."""


@dataclass(frozen=True, eq=False)
class CutOuts:
    """The middles of a set's pictures as a network was shown them. The digest of each (32 hex
    digits) stands for the bytes that it is made from and for how it is made."""

    copy: Copy
    preprocessing: Preprocessing

    @property
    def size(self) -> int:
        """Their side, pixels."""
        return self.preprocessing.size

    def digests(self, numbers: Iterable[int]) -> dict[int, str]:
        """Of those pictures that are in the copy, by number."""
        known = [number for number in numbers if 0 <= number < len(self.copy.listing)]
        editions = self.copy.editions(known).items()
        return {number: self._digest(form) for number, form in editions if form is not None}

    def data(self, digest: str) -> bytes | None:
        """The JPEG file of that digest, from verified bytes; None if there is none."""
        if digest not in self._by_digest:
            return None
        number, edition = self._by_digest[digest]
        if self.copy.edition(number) != edition:  # what was cut out before is the copy's no longer
            return None
        return _KEPT.get(digest) or self._made(digest, number, edition)

    def _made(self, digest: str, number: int, edition: Edition) -> bytes | None:
        from micrograph.pictures import decode  # Pillow: not before it is needed
        from micrograph.pictures.fitting import fitted

        try:
            data = self.copy.read(number)
            if hashlib.sha256(data).hexdigest() != edition.sha256:  # changed this very moment
                return None
            image = fitted(decode(data, f"{number} of the set"), self.preprocessing)
        except MicrographError:
            return None
        packed = BytesIO()
        image.save(packed, "JPEG", quality=_QUALITY)
        _KEPT.put(digest, packed.getvalue())
        return packed.getvalue()

    @cached_property
    def _by_digest(self) -> dict[str, tuple[int, Edition]]:
        return {
            self._digest(edition): (number, edition)
            for number, one in enumerate(self.copy.listing.pictures)
            for edition in one.editions
        }

    @cached_property
    def _made_how(self) -> str:
        return json.dumps(self.preprocessing.as_dict(), sort_keys=True)

    def _digest(self, edition: Edition) -> str:
        what = f"micrograph cut-out 1 {edition.sha256} {self._made_how} {_QUALITY}"
        return hashlib.sha256(what.encode()).hexdigest()[:32]


def cutouts(listing: Listing, preprocessing: Mapping[str, Any]) -> CutOuts | None:
    """Those of a set for a network with this preprocessing, as an atlas has it; None where we
    cannot do what it says."""
    try:
        plain: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in preprocessing.items()
        }
        wanted = Preprocessing(**plain)
        wanted.check()
        sizes = (wanted.size, wanted.resize)
        fine = all(type(n) is int and n <= _LARGEST for n in sizes) and wanted.size <= wanted.resize
        if not fine or wanted.interpolation not in _METHODS:
            return None
        return _cutouts(listing, wanted)
    except (TypeError, ValueError, AttributeError, MicrographError):
        return None


@cache
def _cutouts(listing: Listing, wanted: Preprocessing) -> CutOuts:
    return CutOuts(copy_of(listing), wanted)


class RecentFiles:
    """The files that were asked for last, up to `most` bytes together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def get(self, digest: str) -> bytes | None:
        with self._lock:
            if digest in self._files:
                self._files.move_to_end(digest)
            return self._files.get(digest)

    def put(self, digest: str, data: bytes) -> None:
        with self._lock:
            self._size += len(data) - len(self._files.get(digest, b""))
            self._files[digest] = data
            while self._size > self.most and len(self._files) > 1:
                self._size -= len(self._files.popitem(last=False)[1])


_KEPT = RecentFiles(_KEPT_BYTES)
