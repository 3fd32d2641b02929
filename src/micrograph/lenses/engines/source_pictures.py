"""Pictures that a lens looks at, one at a time: those that ship, or files of the user's.

Each is a source of its own with one sample, so that what was made of a picture is found again
whatever other pictures it was asked for with.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from micrograph.errors import BadInput
from micrograph.lenses.engines.base import PictureSource, Sample
from micrograph.models.model import Model
from micrograph.models.pictures import centre
from micrograph.pictures import find_picture

MOST = 64
"""Pictures that may be named at once."""


@dataclass(frozen=True)
class SourcePicture:
    """A picture as the network sees it: `image` is uint8 [y, x, 3] in RGB at its input size."""

    name: str
    image: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256 of size and pixels, 64 hex digits; the recipe's word for the picture."""
        return hashlib.sha256(repr(self.image.shape).encode() + self.image.tobytes()).hexdigest()

    @property
    def source(self) -> PictureSource:
        """What results refer to; the picture is its number 0."""
        return PictureSource("pictures", self.digest, self.name, 1, len(self.image))

    @property
    def sample(self) -> Sample:
        """To be given out before results that refer to it."""
        return Sample(self.source, 0, self.name, -1, self.image)

    def tensor(self, device: torch.device | str = "cpu") -> Tensor:
        """RGB [1, 3, y, x] in 0..1."""
        pixels = torch.from_numpy(self.image.astype(np.float32) / 255)
        return pixels.permute(2, 0, 1)[None].to(device)


def source_pictures(images: Sequence[str], model: Model) -> list[SourcePicture]:
    """The pictures of those names or paths, each cut and scaled as `model` takes it.

    Raises NotFound for unknown names, BadInput for files that are no pictures or too many of them.
    """
    if isinstance(images, str):
        images = (images,)
    if not 1 <= len(images) <= MOST:
        raise BadInput(f"{len(images)} pictures given; expected 1 to {MOST}")
    found = []
    for given in dict.fromkeys(map(str, images)):
        name, picture = find_picture(given)
        found.append(SourcePicture(name, np.asarray(centre(picture, model.preprocessing))))
    return found
