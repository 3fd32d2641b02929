"""From a picture file to what a network sees of it."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from micrograph.cards.preprocessing import Preprocessing
from micrograph.pictures import open_picture
from micrograph.pictures.fitting import fitted

def read_picture(path: Path, preprocessing: Preprocessing) -> Tensor:
    """The picture at `path` as `to_input` gives it. Raises BadInput for what is none."""
    return to_input(open_picture(path), preprocessing)


def to_input(image: Image.Image, preprocessing: Preprocessing) -> Tensor:
    """The centre of a picture, RGB [3, size, size] in 0..1, as the network was evaluated on it.

    `image` is in mode RGB. Its short side becomes `preprocessing.resize` (or what
    `preprocessing.fit` says), then the middle `preprocessing.size` is cut out.
    """
    pixels = np.asarray(centre(image, preprocessing), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


def centre(image: Image.Image, preprocessing: Preprocessing) -> Image.Image:
    """As `to_input`, as a picture of `size` x `size` pixels."""
    return fitted(image, preprocessing)
