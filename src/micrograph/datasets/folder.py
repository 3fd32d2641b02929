"""A folder of pictures, or of class folders."""

import os
from collections import Counter
from pathlib import Path

from micrograph.datasets.base import ENDINGS, READ_LIMIT, Dataset, Entry, of_files, plain_name
from micrograph.errors import BadInput, short
from micrograph.files import printable as shown


def open_dataset(spec: str) -> Dataset:
    """All pictures in the folder and below, sorted by path.

    The first folder on the way to a picture is its class; pictures that lie in `spec` itself have
    none. Links are followed, but for those that lead back to a folder around them. Names that begin
    with a dot are passed over; files that are not called like a picture are counted.
    """
    root = Path(spec)
    left_out: Counter[str] = Counter()
    found: list[str] = []

    def refuse(error: OSError) -> None:
        where = short(error.filename or spec, 200)
        raise BadInput(f"cannot list the folder {where}: {error.strerror}; check its rights")

    around: dict[str, tuple[str, ...]] = {str(root): (os.path.realpath(root),)}
    """Where each folder and those around it really lie."""
    for folder, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        path_to = around.pop(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in tuple(folders):
            place = os.path.realpath(os.path.join(folder, name))
            if place in path_to:  # all that is in there was seen
                folders.remove(name)
            else:
                around[os.path.join(folder, name)] = (*path_to, place)
        for file in files:
            if file.startswith("."):
                continue
            path = os.path.join(folder, file)
            if os.path.islink(path) and not os.path.exists(path):
                left_out["a link to nothing"] += 1
            elif file.rpartition(".")[2].lower() not in ENDINGS:
                left_out["no name of a picture"] += 1
            elif not os.path.isfile(path):
                left_out["no regular file"] += 1
            else:
                found.append(os.path.relpath(path, root).replace(os.sep, "/"))
    found.sort()
    tops = [path.partition("/")[0] if "/" in path else "" for path in found]
    classes = sorted({top for top in tops if top})
    numbers = {top: number for number, top in enumerate(classes)}
    entries = [
        Entry(shown(path), numbers.get(top, -1)) for path, top in zip(found, tops, strict=True)
    ]

    def read(number: int) -> bytes:
        with (root / found[number]).open("rb") as file:
            return file.read(READ_LIMIT)

    name = plain_name(shown(root.resolve().name))
    return of_files(
        spec,
        name,
        f"folder {shown(root.resolve().name)}",
        entries,
        read,
        classes=[shown(c) for c in classes],
        left_out=left_out,
    )
