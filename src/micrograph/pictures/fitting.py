"""A picture of any size and form as the square that a network takes, as libraries make it."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from micrograph.cards.preprocessing import Preprocessing

_STRIP = 16
"""Of a picture that is longer than this many times its short side, only the middle is resized."""


def fitted(image: Image.Image, preprocessing: "Preprocessing") -> Image.Image:
    """`image` (RGB) resized and cut to `size` x `size` pixels, as `preprocessing.fit` says."""
    longest = _STRIP * min(image.size)
    if preprocessing.fit == "crop" and max(image.size) > longest:
        # Enlarging all of a line of one pixel would fill the memory.
        image = _middle(image, min(image.width, longest), min(image.height, longest))
    size = _resized(image.width, image.height, preprocessing)
    if size != image.size:
        image = _as_large(image, size, preprocessing.interpolation)
    side = preprocessing.size
    missing = [max(side - length, 0) for length in image.size]
    if any(missing):
        before = [lacks // 2 for lacks in missing]
        after = [lacks - first for lacks, first in zip(missing, before, strict=True)]
        fill = preprocessing.fill or (0, 0, 0)
        image = ImageOps.expand(image, (*before, *after), fill=tuple(fill))
    return _middle(image, side, side, to_even=preprocessing.rounding == "even")


def _as_large(image: Image.Image, size: tuple[int, int], method: str) -> Image.Image:
    if method != "nearest-exact":
        return image.resize(size, Image.Resampling[method.upper()])
    pixels = np.asarray(image)  # as torch tells the nearest, where Pillow rounds otherwise
    x, y = (_nearest(before, after) for before, after in zip(image.size, size, strict=True))
    return Image.fromarray(pixels[y][:, x])


def _nearest(before: int, after: int) -> np.ndarray:
    scale = np.float32(before) / np.float32(after)
    places = np.floor((np.arange(after, dtype=np.float32) + np.float32(0.5)) * scale)
    return np.minimum(places.astype(np.int64), before - 1)


def _resized(width: int, height: int, p: "Preprocessing") -> tuple[int, int]:
    if p.fit == "squash":
        return p.resize, p.resize
    if p.fit == "border":
        ratio = max(width / p.resize, height / p.resize)
        return max(round(width / ratio), 1), max(round(height / ratio), 1)
    short = min(width, height)
    if short == p.resize:
        return width, height
    return (
        (p.resize, int(p.resize * height / short))
        if width <= height
        else (int(p.resize * width / short), p.resize)
    )


def _middle(image: Image.Image, width: int, height: int, *, to_even: bool = False) -> Image.Image:
    over = image.width - width, image.height - height
    left, top = (round(n / 2) if to_even else n // 2 for n in over)
    return image.crop((left, top, left + width, top + height))
