"""From a picture file to what a network sees of it."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from micrograph.cards.preprocessing import Preprocessing
from micrograph.pictures import open_picture

_STRIP = 16
"""Of a picture that is longer than this many times its short side, only the middle is resized."""


def read_picture(path: Path, preprocessing: Preprocessing) -> Tensor:
    """The picture at `path` as `to_input` gives it. Raises BadInput for what is none."""
    return to_input(open_picture(path), preprocessing)


def to_input(image: Image.Image, preprocessing: Preprocessing) -> Tensor:
    """The centre of a picture, RGB [3, size, size] in 0..1, as the network was evaluated on it.

    `image` is in mode RGB. The short side becomes `preprocessing.resize`, then the middle
    `preprocessing.size` is cut out.
    """
    pixels = np.asarray(centre(image, preprocessing), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


def centre(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """As `to_input`, as a picture of `size` x `size` pixels."""
    longest = _STRIP * min(image.size)
    if max(image.size) > longest:  # enlarging all of a line of one pixel would fill the memory
        image = _middle(image, min(image.width, longest), min(image.height, longest))
    factor = preprocessing.resize / min(image.size)
    if factor != 1:
        width, height = (max(int(s * factor), preprocessing.resize) for s in image.size)
        method = Image.Resampling[preprocessing.interpolation.upper()]
        image = image.resize((width, height), method)
    return _middle(image, preprocessing.size, preprocessing.size)


def _middle(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
