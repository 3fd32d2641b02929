"""A small published set: six pictures of our own, each in two forms, under three classes."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from micrograph.published import Listing
from micrograph.published import lists as lists_of
from micrograph.published.lists import Edition, Listed

NAME = "six-drawings"
CLASSES = ("beagle", "tabby", "sports car")
COUNT = 6


def drawing(number: int, side: int = 48) -> bytes:
    """A JPEG of noise in a colour of its own, wider than it is high."""
    noise = np.random.default_rng(number).integers(0, 60, (side, side * 3 // 2, 3), np.uint8)
    noise[..., number % 3] += 150
    packed = BytesIO()
    Image.fromarray(noise).save(packed, "JPEG", quality=90)
    return packed.getvalue()


def edition(data: bytes) -> Edition:
    return Edition(hashlib.sha256(data).hexdigest(), len(data))


def small(number: int) -> bytes:
    """The other form of a picture."""
    return drawing(number, 24)


def listing() -> Listing:
    """The set. Its pictures are at no address."""
    return Listing(
        name=NAME,
        title="6 drawings",
        home="https://example.org/drawings",
        address="http://127.0.0.1:9/",
        licence="not passed on",
        terms="They are ours.",
        classes=CLASSES,
        pictures=tuple(
            Listed(f"d{n}'s one.JPEG", n % 3, edition(drawing(n)), (edition(small(n)),))
            for n in range(COUNT)
        ),
    )


def known(monkeypatch: pytest.MonkeyPatch, data: Path, address: str = "") -> Listing:
    """Make the set known for a test, at an `address`; this user's data lies in `data`."""
    found = listing()
    if address:
        found = replace(found, address=address)
    monkeypatch.setitem(lists_of.KNOWN, NAME, lambda: found)
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.delenv("MICROGRAPH_DATASETS", raising=False)
    return found


def fill(folder: Path, made: Callable[[int], bytes] = drawing) -> Path:
    """Write all pictures into a folder, under their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(listing().pictures):
        (folder / one.name).write_bytes(made(number))
    return folder
