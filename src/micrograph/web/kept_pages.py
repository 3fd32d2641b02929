"""Pages as they were written last: each is written once for each state of what it shows."""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from weakref import ref

from micrograph.atlas import Snapshot
from micrograph.published import State, are_unchanged

_LEVEL = 1
"""Of compression: the next ones take half as long again for a page that is a twentieth smaller."""
MOST_BYTES = 24 << 20
"""Of all pages that are kept, as text and compressed."""


@dataclass(frozen=True)
class Written:
    """A page as bytes. `etag` identifies them. `files` are those of the reader's own that it was
    made from, each with its state then."""

    body: bytes
    files: Mapping[str, State | None] = field(default_factory=dict)

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha1(self.body, usedforsecurity=False).hexdigest()}"'

    @cached_property
    def packed(self) -> bytes:
        """Compressed."""
        return gzip.compress(self.body, _LEVEL)

    @property
    def size(self) -> int:
        """Bytes, with a guess at those of `packed`."""
        return len(self.body) * 5 // 4 + 300 * len(self.files)


class KeptPages:
    """Pages by address and state, as long as the library is the same; the least used go first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._library: ref[Snapshot] | None = None
        self._kept: OrderedDict[Hashable, Written] = OrderedDict()
        self._size = 0

    def get(self, library: Snapshot, key: Hashable) -> Written | None:
        """The page that was written under `key` from this very state of the library."""
        with self._lock:
            if self._library is None or self._library() is not library:
                return None
            if key in self._kept:
                self._kept.move_to_end(key)
            found = self._kept.get(key)
        return found if found is not None and are_unchanged(found.files) else None

    def put(self, library: Snapshot, key: Hashable, page: Written) -> None:
        """Keep a page. What was written from another state of the library goes."""
        with self._lock:
            if self._library is None or self._library() is not library:
                self._library, self._size = ref(library), 0
                self._kept.clear()
            if key in self._kept:
                self._size -= self._kept.pop(key).size
            self._kept[key] = page
            self._size += page.size
            while self._size > self._most and len(self._kept) > 1:
                self._size -= self._kept.popitem(last=False)[1].size
