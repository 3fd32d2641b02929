"""Zip archives in memory, with bounds: `.npz`, PyTorch's files, downloads."""

import io
import zipfile
import zlib
from typing import Protocol

from micrograph.weights.readers.common import MOST_MEMBERS, Damaged, may_unpack_to

ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
    KeyError,
    IndexError,
)
"""What `zipfile` raises for damaged or encrypted archives."""


_END, _MEMBER = b"PK\5\6", b"PK\1\2"
"""Marks of the end of an archive, and of a file in the list before it."""
_LONGEST_END = 22 + 65_535 + 76
"""Bytes of that end, with a comment, and with what is written before it for large archives."""


class Files(Protocol):
    """Contents by name: an archive, or what stands for one."""

    def read(self, name: str) -> bytes | memoryview:
        """One file. Raises Damaged."""


def _members_listed(data: memoryview) -> int:
    """How many files the list at the end of an archive names at most, without reading the list."""
    end = bytes(data[-_LONGEST_END:])
    at = end.rfind(_END)
    size = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    listed = data if size == 2**32 - 1 else data[-(size + _LONGEST_END) :]
    return bytes(listed).count(_MEMBER)


class Zip:
    """Names and contents of the files in an archive."""

    def __init__(self, data: memoryview) -> None:
        if _members_listed(data) > MOST_MEMBERS:
            raise Damaged(f"it is an archive of more than {MOST_MEMBERS} files")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
            members = [m for m in self._archive.infolist() if not m.is_dir()]
        except ZIP_ERRORS as error:
            raise Damaged(f"it is a damaged archive ({str(error)[:80]})") from None
        self._members = {member.filename: member for member in members}
        size, limit = sum(member.file_size for member in members), may_unpack_to(len(data))
        if size > limit:
            raise Damaged(f"it would unpack to {size} bytes, expected at most {limit}")

    @property
    def names(self) -> list[str]:
        """The files in it."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """One file. Raises Damaged."""
        if name not in self._members:
            raise Damaged(f"the archive lacks {name[:120]!r}")
        member = self._members[name]
        try:
            with self._archive.open(member) as file:
                content = file.read(member.file_size + 1)
        except ZIP_ERRORS as error:
            raise Damaged(f"{name[:120]!r} in it is damaged ({str(error)[:80]})") from None
        if len(content) != member.file_size:
            raise Damaged(f"{name[:120]!r} in it has another size than the archive says")
        return content
