"""The reader's own copy of a published set of pictures. Bytes leave here only if they are the right
ones, so that nothing else can get onto a page under the name of a picture."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import platformdirs

from micrograph.errors import Conflict, MicrographError, Unavailable
from micrograph.published.lists import Edition, Listing

State = tuple[int, int, int]
"""A file's number, size and time of its last change."""


def data_folder() -> Path:
    """The folder of this user in which published sets are kept, each in one of its name."""
    return _data_folder(tuple(map(os.environ.get, _DECIDING)))


_DECIDING = ("XDG_DATA_HOME", "HOME", "LOCALAPPDATA", "USERPROFILE")
"""Variables of the environment that say where a user's data lie: pages ask again and again."""


@cache
def _data_folder(deciding: tuple[str | None, ...]) -> Path:
    return Path(platformdirs.user_data_dir("micrograph", appauthor=False)) / "datasets"


@cache
def copy_of(listing: Listing) -> "Copy":
    """The copy of a set, whether or not anything of it is there; the same object each time."""
    return Copy(listing)


class Copy:
    """Where the pictures of a set lie here: under their names, in `MICROGRAPH_DATASETS/NAME` or in
    `data_folder()/NAME`. Files may come, go and change while this is used, from any thread."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self._verified: dict[str, tuple[State, Edition]] = {}

    def folders(self) -> Iterator[Path]:
        """Where we look, in that order; new files go into the last."""
        chosen = os.environ.get("MICROGRAPH_DATASETS")
        if chosen:
            yield Path(chosen) / self.listing.name
        yield data_folder() / self.listing.name

    @property
    def wanted_at(self) -> Path:
        """Where `fetch` puts pictures."""
        return data_folder() / self.listing.name

    def has(self, number: int) -> bool:
        """Whether a picture is there. A file is read for that once, and again when it changed."""
        return self.edition(number) is not None

    def edition(self, number: int) -> Edition | None:
        """In which form a picture is there; None if it is not."""
        return self.editions([number])[number]

    def editions(self, numbers: Iterable[int]) -> dict[int, Edition | None]:
        """As `edition`, of many pictures."""
        folders = self._folders_there()
        return {number: self._edition(number, folders) for number in numbers}

    def _edition(self, number: int, folders: Sequence[str]) -> Edition | None:
        """That of the publisher, if it lies in any of the folders."""
        listed = self.listing.pictures[number]
        other = None
        for folder in folders:
            path = f"{folder}{os.sep}{listed.name}"
            state = _noted(path)
            if state is None:
                continue
            known = self._verified.get(path)
            found = known[1] if known is not None and known[0] == state else None
            if found is None:
                read = self._verify(number, path)
                found = read[1] if read else None
            if found == listed.published:
                return found
            other = other or found
        return other

    def is_other_form(self, number: int) -> bool:
        """Whether a picture is there, but not as it was published."""
        return self.edition(number) not in (None, self.listing.pictures[number].published)

    def not_as_published(self) -> list[int]:
        """The numbers of the pictures that are not there, or in another form only."""
        forms = self.editions(range(len(self.listing))).items()
        return [n for n, form in forms if form != self.listing.pictures[n].published]

    def missing(self) -> list[int]:
        """The numbers of the pictures that are not there."""
        return [n for n, form in self.editions(range(len(self.listing))).items() if form is None]

    def read(self, number: int) -> bytes:
        """The bytes of a picture, verified. Raises Unavailable, saying how to get it, if it is not
        there, Conflict if there is another file in its place."""
        listed = self.listing.pictures[number]
        paths = [f"{folder}{os.sep}{listed.name}" for folder in self._folders_there()]
        found = [read for path in paths if (read := self._verify(number, path))]
        if found:
            return max(found, key=lambda read: read[1] == listed.published)[0]
        if other := next(filter(os.path.exists, paths), None):
            raise Conflict(
                f"{other} is another file than the one that is listed; delete it and run "
                f"`{self.listing.command}`"
            )
        raise self.lacking(f"no picture {listed.name} here")

    def lacking(self, what: str) -> MicrographError:
        """The error for `what` is missing: it says how to get the pictures."""
        return Unavailable(
            f"{what}; run `{self.listing.command}` ({self.listing.size / 1e6:.0f} MB), or with "
            "--from FOLDER if you have the pictures"
        )

    def _folders_there(self) -> list[str]:
        folders = [str(folder) for folder in self.folders()]
        return [folder for folder in folders if _noted(folder) and os.path.isdir(folder)]

    def _verify(self, number: int, path: str) -> tuple[bytes, Edition] | None:
        """The bytes of the file if it is the picture in one of its forms, and which form."""
        editions = {one.size: one for one in self.listing.pictures[number].editions}
        before = _state(path)
        edition = editions.get(before[1]) if before else None
        if before is None or edition is None:
            return None
        try:
            with open(path, "rb") as file:
                data = file.read(edition.size + 1)
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != edition.sha256:
            return None
        if _state(path) == before:
            self._verified[path] = (before, edition)
        return data, edition


_NOTED: ContextVar[dict[str, State | None] | None] = ContextVar("noted_files", default=None)


@contextmanager
def noted_files() -> Iterator[dict[str, State | None]]:
    """The files and folders of copies that are asked for meanwhile, each with the state in which it
    was met; None for what was not there."""
    files: dict[str, State | None] = {}
    token = _NOTED.set(files)
    try:
        yield files
    finally:
        _NOTED.reset(token)


def are_unchanged(files: Mapping[str, State | None]) -> bool:
    """Whether files are as they were noted: what was made from them is still right."""
    return all(_state(path) == state for path, state in files.items())


def _noted(path: str) -> State | None:
    """The state of a file, which is noted where somebody wants that."""
    state, noted = _state(path), _NOTED.get()
    if noted is not None:
        noted[path] = state
    return state


def _state(path: str) -> State | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)
