"""WebDataset: pictures in tar files, each with its class beside it under the same key."""

import glob
import json
import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from micrograph.datasets.base import ENDINGS, READ_LIMIT, Dataset, Entry, of_files, plain_name
from micrograph.errors import BadInput, short
from micrograph.files import printable as shown

_SMALL = 65536
"""Bytes that a file with a class may have."""


@dataclass(frozen=True)
class _ByteRange:
    path: str
    offset: int
    size: int

    def read(self, limit: int = READ_LIMIT) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(min(self.size, limit))


@dataclass
class _Sample:
    name: str
    key: tuple[str, str]
    picture: _ByteRange | None = None
    labels: dict[str, _ByteRange] = field(default_factory=dict)


def open_dataset(spec: str) -> Dataset:
    """Pictures of one or more tar files in the order in which they lie there.

    Files whose names differ behind the first dot only belong together: the picture, and its class
    in `.cls` (a number or a name) or in `.json` under `cls` or `label`. They stand side by side, or
    else the name has one picture in the archive. Nothing is unpacked; links, devices and compressed
    archives are not followed.
    """
    paths = _expand(spec)
    left_out: Counter[str] = Counter()
    samples = [sample for path in paths for sample in _paired(path, left_out)]
    labels = [_label(sample.labels) for sample in samples]
    unread = sum("cls" in s.labels and n is None for s, n in zip(samples, labels, strict=True))
    if unread:
        left_out["a class that cannot be read"] += unread
    classes, numbers = _numbered(labels)
    entries = [Entry(s.name, n) for s, n in zip(samples, numbers, strict=True)]
    places = [s.picture for s in samples if s.picture is not None]
    stem = re.sub(r"[-_.]*(\{.*?\}|\*)[-_.]*", "", Path(spec).name.removesuffix(".tar"))
    return of_files(
        spec,
        plain_name(stem),
        f"{stem} ({len(paths)} tar files)",
        entries,
        lambda number: places[number].read(),
        classes=classes,
        left_out=left_out,
    )


def _expand(spec: str) -> list[str]:
    """The files that `x-{000..003}.tar`, `x-*.tar` or `x.tar` mean, in order."""
    if Path(spec).is_file():
        return [spec]
    if braces := re.fullmatch(r"(.*)\{(\d{1,9})\.\.(\d{1,9})\}(.*)", spec, re.DOTALL):
        before, first, last, after = braces.groups()
        if int(last) - int(first) > 100_000:
            raise BadInput(f"dataset {short(spec, 200)} means more than 100,000 files")
        numbers = range(int(first), int(last) + 1)
        paths = [f"{before}{number:0{len(first)}}{after}" for number in numbers]
    else:
        paths = sorted(glob.glob(spec))
    if not paths:
        raise BadInput(f"dataset {short(spec, 200)} fits no file; check path and pattern")
    for path in paths:
        if not Path(path).is_file():
            raise BadInput(f"dataset {short(spec, 200)} lacks the file {short(path, 200)}")
    return paths


def _paired(path: str, left_out: Counter[str]) -> list[_Sample]:
    """Those with a picture. A class that stands apart from its picture is brought to it."""
    samples = list(_samples(path, left_out))
    pictures: dict[tuple[str, str], list[_Sample]] = {}
    for sample in samples:
        if sample.picture is not None:
            pictures.setdefault(sample.key, []).append(sample)
    for sample in samples:
        if sample.picture is None and sample.labels:
            own = pictures.get(sample.key, [])
            if len(own) == 1 and not own[0].labels.keys() & sample.labels.keys():
                own[0].labels |= sample.labels
            else:
                left_out["a class or text without one picture"] += len(sample.labels)
    return [sample for sample in samples if sample.picture is not None]


def _samples(path: str, left_out: Counter[str]) -> Iterator[_Sample]:
    """Neighbours in the archive that share a key."""
    now = _Sample("", ("", ""))
    key = None
    for name, place in _members(path, left_out):
        folder, _, file = name.rpartition("/")
        stem, _, ending = file.partition(".")
        if (folder, stem) != key:
            if key is not None:
                yield now
            key = (folder, stem)
            now = _Sample("", key)
        kind = ending.rpartition(".")[2].lower()
        if kind in ENDINGS and now.picture is None:
            now.name, now.picture = shown(name), place
        elif kind in ("cls", "json", "txt"):
            if now.labels.setdefault(kind, place) is not place:
                left_out["another class or text of the same name"] += 1
        elif kind in ENDINGS:
            left_out["another picture of the same name"] += 1
        else:
            left_out["no picture and no class"] += 1
    if key is not None:
        yield now


def _members(path: str, left_out: Counter[str]) -> Iterator[tuple[str, _ByteRange]]:
    """Regular files, with where their bytes lie."""
    try:
        end = os.path.getsize(path)
        with tarfile.open(path, "r:") as tar:
            before = -1
            for member in tar:
                # A forged header can lead the reader back to where it was, for ever.
                whole = member.issparse() or member.offset_data + member.size <= end
                if member.offset <= before or not whole:
                    raise tarfile.ReadError("its table of contents contradicts itself")
                before = member.offset
                if member.isfile() and not member.issparse():
                    yield member.name, _ByteRange(path, member.offset_data, member.size)
                elif not member.isdir():
                    left_out["no regular file"] += 1
            _check_end(path, tar.offset)
    except (tarfile.TarError, ValueError, OverflowError, OSError) as error:
        raise BadInput(
            f"{short(path, 200)} is damaged, cut short or no plain tar file ({error}); "
            "fetch it again, or unpack its compression"
        ) from None


def _check_end(path: str, offset: int) -> None:
    """Behind the last member lie zeros or nothing; the reader takes any other end for that too."""
    with open(path, "rb") as file:
        file.seek(offset)
        if any(file.read(512)):
            raise tarfile.ReadError(f"it breaks off at byte {offset}")


def _label(places: dict[str, _ByteRange]) -> int | str | None:
    """What a sample says of its class."""
    try:
        if "cls" in places:
            text = places["cls"].read(_SMALL).decode().strip()
            return int(text) if re.fullmatch(r"\d{1,6}", text) else text or None
        if "json" in places:
            said = json.loads(places["json"].read(_SMALL))
            found = said.get("cls", said.get("label")) if isinstance(said, dict) else None
            if isinstance(found, str) and found:
                return found
            if isinstance(found, int) and 0 <= found < 1_000_000:
                return int(found)
    except (ValueError, RecursionError):
        pass
    return None


def _numbered(labels: list[int | str | None]) -> tuple[list[str], list[int]]:
    """Names of the classes and the class of each: numbers as they are, names by the alphabet."""
    given = {label for label in labels if label is not None}
    if all(isinstance(label, int) for label in given):
        largest = max((label for label in given if isinstance(label, int)), default=-1)
        if largest < 100_000:
            classes = [str(number) for number in range(largest + 1)]
            return classes, [-1 if label is None else int(label) for label in labels]
    classes = sorted({str(label)[:200] for label in given})
    numbers = {name: number for number, name in enumerate(classes)}
    return classes, [-1 if label is None else numbers[str(label)[:200]] for label in labels]
