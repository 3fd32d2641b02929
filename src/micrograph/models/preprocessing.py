"""From RGB in 0..1 to what a network was trained on, as data.

`y = scale * x` per channel, in `channel_order`, minus `mean`, divided by `std`. Mean and std are
stated in the network's own channel order and after scaling.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Preprocessing:
    """Input of a network. `size` is its side in pixels; `resize` the short side before the crop."""

    size: int
    resize: int
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    channel_order: str = "RGB"
    interpolation: str = "bilinear"

    def apply(self, images: "Tensor") -> "Tensor":
        """RGB [batch, 3, y, x] in 0..1 to the network's range; same shape, differentiable."""
        import torch

        order = ["RGB".index(c) for c in self.channel_order]
        if order != [0, 1, 2]:
            # Indexing loses the memory layout, and convolutions and pools on CPU are many times
            # slower on the wrong one.
            layout = (
                torch.channels_last
                if images.is_contiguous(memory_format=torch.channels_last)
                else torch.contiguous_format
            )
            images = images[:, order].contiguous(memory_format=layout)
        mean = images.new_tensor(self.mean).view(1, -1, 1, 1)
        std = images.new_tensor(self.std).view(1, -1, 1, 1)
        return (images * self.scale - mean) / std

    def as_dict(self) -> dict[str, Any]:
        """Plain data for recipes, atlases and pages."""
        return asdict(self)
