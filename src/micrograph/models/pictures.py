"""From a picture file to what a network sees of it."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.preprocessing import Preprocessing


def read_picture(path: Path, preprocessing: Preprocessing) -> Tensor:
    """The centre of a picture, RGB [3, size, size] in 0..1, as the network was evaluated on it.

    The short side becomes `preprocessing.resize`, then the middle `preprocessing.size` is cut out.
    Raises BadInput when the file is no picture.
    """
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise BadInput(f"cannot read the picture {path}: {error}") from None
    factor = preprocessing.resize / min(image.size)
    if factor != 1:
        width, height = (max(round(s * factor), preprocessing.resize) for s in image.size)
        method = Image.Resampling[preprocessing.interpolation.upper()]
        image = image.resize((width, height), method)
    left, top = ((s - preprocessing.size) // 2 for s in image.size)
    image = image.crop((left, top, left + preprocessing.size, top + preprocessing.size))
    pixels = np.asarray(image, dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)
