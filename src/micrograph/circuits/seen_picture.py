"""The one picture that a question is about, as a model takes it."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.models.model import Model
from micrograph.models.pictures import centre
from micrograph.pictures import find_picture


@dataclass(frozen=True, eq=False)
class SeenPicture:
    """A picture by name: `tensor` is RGB [1, 3, y, x] in 0..1 at the model's own size, `digest`
    stands for its size and pixels."""

    name: str
    digest: str
    tensor: Tensor


def seen_picture(picture: "SeenPicture | Tensor | np.ndarray | str", model: Model) -> SeenPicture:
    """A file, the name of a picture that ships, uint8 [y, x, 3], or RGB [3, y, x] or [1, 3, y, x]
    in 0..1, as `model` takes it: files and uint8 are cut and scaled, tensors have its size.

    Raises NotFound and BadInput for what is no picture.
    """
    size = model.preprocessing.size
    if isinstance(picture, SeenPicture):
        return picture
    if isinstance(picture, Tensor):
        pixels = picture[None] if picture.ndim == 3 else picture
        if pixels.shape != (1, 3, size, size) or not pixels.is_floating_point():
            raise BadInput(
                f"a picture of shape {list(picture.shape)} in {picture.dtype} given; expected "
                f"floating-point RGB [1, 3, {size}, {size}] in 0..1"
            )
        raw = pixels.detach().cpu().numpy()
        return SeenPicture("own", _digest(raw), pixels.detach().to(model.device))
    if isinstance(picture, np.ndarray):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise BadInput(
                f"a picture {picture.dtype} {list(picture.shape)} given; expected uint8 [y, x, 3]"
            )
        name, image = "own", picture
        if image.shape[:2] != (size, size):
            image = np.asarray(centre(Image.fromarray(picture), model.preprocessing))
    else:
        name, opened = find_picture(str(picture))
        image = np.asarray(centre(opened, model.preprocessing))
    values = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]
    return SeenPicture(name, _digest(image), values.to(model.device))


def _digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
