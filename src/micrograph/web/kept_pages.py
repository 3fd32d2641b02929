"""Pages as they were written last: each is written once for each state of what it shows."""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from types import MappingProxyType
from weakref import ref

from micrograph.atlas import Snapshot
from micrograph.published import State, are_unchanged

_LEVEL = 1
"""Of compression: the next ones take half as long again for a page that is a twentieth smaller."""
MOST_BYTES = 2 << 20
"""Of all pages that are kept."""


class Written:
    """A page as bytes. `etag` identifies them. `files` are those of the reader's own that it was
    made from, each with its state then.

    Once somebody took it compressed, it is held so alone: a fifth of the memory.
    """

    def __init__(
        self, body: bytes, files: Mapping[str, State | None] = MappingProxyType({})
    ) -> None:
        self.files = files
        self._body: bytes | None = body
        self._packed: bytes | None = None
        self.etag = f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
        self.length = len(body)

    @property
    def packed_etag(self) -> str:
        """Identifies `packed`, without having to make it."""
        return f'{self.etag[:-1]}-gzip"'

    @property
    def body(self) -> bytes:
        body, packed = self._body, self._packed
        return gzip.decompress(packed or b"") if body is None else body

    @property
    def packed(self) -> bytes:
        """Compressed."""
        if self._packed is None:
            self._packed = gzip.compress(self.body, _LEVEL)
            self._body = None
        return self._packed

    @property
    def size(self) -> int:
        """Bytes that it takes, with a guess at what goes with them."""
        held = self._packed or self._body or b""
        return len(held) * 5 // 4 + 300 * len(self.files)


class KeptPages:
    """Pages by address and state, as long as the library is the same; the least used go first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._library: ref[Snapshot] | None = None
        self._kept: OrderedDict[Hashable, tuple[Written, int]] = OrderedDict()
        self._size = 0

    def get(self, library: Snapshot, key: Hashable) -> Written | None:
        """The page that was written under `key` from this very state of the library."""
        with self._lock:
            if self._library is None or self._library() is not library:
                return None
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            found, _ = self._kept[key]
        return found if are_unchanged(found.files) else None

    def put(self, library: Snapshot, key: Hashable, page: Written) -> None:
        """Keep a page. What was written from another state of the library goes."""
        size = page.size
        with self._lock:
            if self._library is None or self._library() is not library:
                self._library, self._size = ref(library), 0
                self._kept.clear()
            if key in self._kept:
                self._size -= self._kept.pop(key)[1]
            self._kept[key] = (page, size)
            self._size += size
            while self._size > self._most and len(self._kept) > 1:
                self._size -= self._kept.popitem(last=False)[1][1]
