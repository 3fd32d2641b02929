"""Taking pictures of a published set from a folder, whatever they are called there."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from micrograph.errors import BadInput, short
from micrograph.files import remove_abandoned, write_atomically
from micrograph.published.copies import Copy
from micrograph.published.fetching import coming
from micrograph.published.lists import Edition
from micrograph.steps import StepHook
from micrograph.weights.downloading import forget_partial


@dataclass(frozen=True)
class ImportedPictures:
    """How many pictures were taken, how many had been there before, and how many files of the
    folder are none of the set's."""

    taken: int
    before: int
    others: int


def import_pictures(
    copy: Copy, folder: Path, *, on_step: StepHook | None = None
) -> ImportedPictures:
    """Copy the pictures of a set that lie in `folder` or below, found by their digests.

    Links are followed. A picture that is there already is taken again only where the folder has it
    as it was published, and the copy does not. `on_step` hears how many files were looked at.
    Raises BadInput where the folder is none or has no picture of the set.
    """
    if not folder.is_dir():
        raise BadInput(
            f"{short(folder, 200)} is no folder; expected one with pictures of {copy.listing.name}"
        )
    remove_abandoned(copy.wanted_at)
    numbers = {
        edition: number
        for number, one in enumerate(copy.listing.pictures)
        for edition in one.editions
    }
    sizes = {edition.size for edition in numbers}
    there = {n for n in range(len(copy.listing)) if copy.has(n)}
    before, taken, others, seen = len(there), set[int](), 0, set[int]()
    paths = sorted(_files(folder))
    for step, path in enumerate(paths, 1):
        data = _bytes(path, sizes)
        found = Edition(hashlib.sha256(data).hexdigest(), len(data))
        number = numbers.get(found)
        if number is None:
            others += 1
        else:
            seen.add(number)
            published = copy.listing.pictures[number].published
            if copy.edition(number) not in (found, published):
                name = copy.listing.pictures[number].name
                write_atomically(copy.wanted_at / name, [data])
                forget_partial(coming(copy, number))
                taken.add(number)
        if on_step is not None:
            on_step(step, len(paths))
    if not seen:
        raise BadInput(
            f"{short(folder, 200)} has none of the pictures of {copy.listing.name} ({others:,} "
            f"other files); expected those of {copy.listing.home}, under any names"
        )
    return ImportedPictures(len(taken), before, others)


def _files(folder: Path) -> Iterator[Path]:
    """The regular files in a folder and below. A folder that is met twice, as by a link that leads
    back up, is looked through once."""
    met: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(here)
        if (status.st_dev, status.st_ino) in met:
            folders.clear()
            continue
        met.add((status.st_dev, status.st_ino))
        yield from (path for name in names if (path := Path(here, name)).is_file())


def _bytes(path: Path, sizes: set[int]) -> bytes:
    """The bytes of a file that is as large as one of the set; nothing of any other."""
    try:
        size = path.stat().st_size
        if size not in sizes:
            return b""
        with path.open("rb") as file:
            return file.read(size + 1)
    except OSError:
        return b""
