"""Toytown's own pictures: scenes that the network never saw, drawn when they are looked at."""

import hashlib
from functools import lru_cache

from PIL import Image

from micrograph.datasets.base import Dataset, Entry
from micrograph.errors import BadInput, short
from micrograph.organisms.toytown import scenes

DEFAULT = 2000
LARGEST = 100_000
KEPT = 4096
"""Pictures that stay in memory, as most are wanted twice; 27 kB each."""


def open_dataset(count: str = "") -> Dataset:
    """`count` scenes (by default 2,000) of 96 px, from the first seed that is never trained on.

    The digest is that of the number of scenes and of the first eight of them: it changes when they
    are drawn otherwise, and the others are drawn only when they are looked at.
    """
    if count and (not count.isdecimal() or not 1 <= int(count[:9]) <= LARGEST):
        raise BadInput(
            f"dataset toytown:{short(count)} is not understood; expected toytown, or toytown:N "
            f"with N from 1 to {LARGEST}"
        )
    number_of = int(count) if count else DEFAULT

    @lru_cache(KEPT)
    def drawn(number: int) -> Image.Image:
        return Image.fromarray(scenes.picture(scenes.HELD_OUT + number))

    digest = hashlib.sha256(f"toytown held-out {number_of}\n".encode())
    for number in range(min(8, number_of)):
        digest.update(drawn(number).tobytes())
    return Dataset(
        spec=f"toytown:{number_of}",
        name="toytown",
        title=f"toytown, {number_of} held-out scenes",
        digest=digest.hexdigest(),
        entries=[_entry(number) for number in range(number_of)],
        picture=drawn,
        classes=scenes.CLASSES,
        licence="CC-BY-4.0",
    )


def _entry(number: int) -> Entry:
    seed = scenes.HELD_OUT + number
    return Entry(f"scene {seed}", scenes.label_of(seed))
