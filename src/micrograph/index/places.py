"""Where an index may lie."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from micrograph.atlas import bundled_gallery

NAME = "index.sqlite"


def places_for(folders: Iterable[Path]) -> list[Path]:
    """Where the index of atlases in `folders` can be made, best first: beside the atlases, in the
    first folder that can be written to, or else in this user's cache. The gallery inside the
    package stays as it was installed."""
    folders = [Path(os.path.abspath(folder)) for folder in folders]
    found = [
        folder / NAME
        for folder in folders
        if folder != bundled_gallery() and os.path.isdir(folder) and os.access(folder, os.W_OK)
    ]
    name = hashlib.sha256("\0".join(map(str, folders)).encode()).hexdigest()[:16]
    cache = Path(platformdirs.user_cache_dir("micrograph", appauthor=False))
    return [*found[:1], cache / f"{name}-{NAME}"]
