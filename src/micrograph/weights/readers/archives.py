"""Downloads that hold a weights file among others: zip, tar and tar.gz, read in memory."""

import io
import tarfile
import zlib
from collections.abc import Mapping

import numpy as np

from micrograph.weights.readers.common import MOST_MEMBERS, Damaged, may_unpack_to, starts_with
from micrograph.weights.readers.zips import Zip

GZIP = b"\x1f\x8b"
SUFFIXES = (
    ".ckpt",
    ".index",
    ".pb",
    ".caffemodel",
    ".npy",
    ".npz",
    ".pt",
    ".pth",
    ".safetensors",
)
"""By these a weights file is told from what else is in an archive."""


def unzipped(data: memoryview) -> bytes:
    """What a gzip file holds. Raises Damaged."""
    out, limit = bytearray(), may_unpack_to(len(data))
    left: bytes | memoryview = data
    try:
        while left[:2] == GZIP:  # files may be joined
            unpacker = zlib.decompressobj(31)
            out += unpacker.decompress(left, limit + 1 - len(out))
            if len(out) > limit:
                raise Damaged(f"it would unpack to more than {limit} bytes")
            if not unpacker.eof:
                raise Damaged("it ends too early")
            left = unpacker.unused_data
    except zlib.error as error:
        raise Damaged(f"it is a damaged gzip file ({error})") from None
    return bytes(out)


def is_tar(data: memoryview) -> bool:
    """Whether it begins as a tar archive does (POSIX and GNU)."""
    return starts_with(data, b"ustar", 257)


def tar_members(data: memoryview) -> dict[str, memoryview]:
    """The plain files in a tar archive, as views of it. Raises Damaged."""
    if _blocks_like_heads(data) > MOST_MEMBERS:
        raise _too_many_files()
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for count, member in enumerate(archive):
                if count >= MOST_MEMBERS:
                    raise _too_many_files()
                if member.isreg() and not member.issparse():
                    content = data[member.offset_data : member.offset_data + member.size]
                    if len(content) != member.size:
                        raise Damaged(f"it ends within {member.name[:120]!r}")
                    found[member.name.removeprefix("./")] = content
    except (tarfile.TarError, ValueError, EOFError, OverflowError, OSError) as error:
        raise Damaged(f"it is a damaged tar archive ({str(error)[:80]})") from None
    return found


def _blocks_like_heads(data: memoryview) -> int:
    """How many blocks of a tar archive look like the head of a file in it."""
    blocks = np.frombuffer(data[: len(data) // 512 * 512], np.uint8).reshape(-1, 512)
    return int((blocks[:, 257:262] == np.frombuffer(b"ustar", np.uint8)).all(1).sum())


def _too_many_files() -> Damaged:
    return Damaged(f"it is an archive of more than {MOST_MEMBERS} files")


def zip_members(archive: Zip) -> dict[str, memoryview]:
    """The files of a zip archive that are not beside the matter."""
    return {name: memoryview(archive.read(name)) for name in archive.names if _fits(name)}


def _fits(name: str) -> bool:
    hidden = name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
    return not hidden and (name.endswith(SUFFIXES) or ".data-" in name)


def choose(members: Mapping[str, memoryview], member: str) -> str:
    """The name of the weights file: `member`, or the only one that looks like it."""
    if member:
        names = [n for n in members if n == member or n.endswith("/" + member)]
    else:
        names = [n for n in members if _fits(n) and ".data-" not in n]
    if len(names) == 1:
        return names[0]
    known = ", ".join(repr(n[:60]) for n in list(members)[:6])
    wanted = repr(member) if member else "one file of weights"
    raise Damaged(
        f"the archive should hold {wanted}; it has {len(names)} such among {known or 'nothing'}"
    )
