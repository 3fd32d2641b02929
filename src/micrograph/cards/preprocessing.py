"""From RGB in 0..1 to what a network was trained on, as data.

`y = scale * x` per channel, in `channel_order`, minus `mean`, divided by `std`. Mean and std are
stated in the network's own channel order and after scaling. The order "L" is one grey channel: the
luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, as Pillow's mode "L".
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from micrograph.errors import BadInput

if TYPE_CHECKING:
    from torch import Tensor

FITS = ("crop", "squash", "border")
ROUNDINGS = ("down", "even")
_RARE = ("fit", "fill", "rounding")

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in a grey channel (ITU-R BT.601)."""


@dataclass(frozen=True)
class Preprocessing:
    """What a network takes: `y = (scale * x - mean) / std` of pixels in 0..1, per channel.

    A picture's short side becomes `resize`, then the middle `size` x `size` is cut out; `fit` names
    other ways.

    >>> imagenet = Preprocessing(
    ...     size=224, resize=256, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    ... )
    >>> imagenet.channels, Preprocessing(28, 28, mean=(0.5,), channel_order="L").channels
    (3, 1)
    """

    size: int
    """Side of the network's input, pixels."""
    resize: int
    """Short side of a picture before the crop, pixels, at least `size`."""
    scale: float = 1.0
    """What 1.0 becomes: 1 for networks of 0..1, 255 for those of 0..255."""
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    """Per channel in the order of `channel_order`, in the range after scaling."""
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    """Likewise; above 0."""
    channel_order: str = "RGB"
    """"RGB" in any order, or "L" for one grey channel."""
    interpolation: str = "bilinear"
    """How pictures are resized: nearest, bilinear, bicubic or lanczos, as Pillow does it, or
    nearest-exact, as torch does it."""
    fit: str = "crop"
    """What becomes of pictures that are not square: "crop" as above; "squash", both sides become
    `resize`; "border", the long side becomes `resize`, and what lacks is filled."""
    fill: tuple[int, ...] = ()
    """Colour of what lacks, RGB in 0..255; black without one."""
    rounding: str = "down"
    """Where the middle is if a side is odd pixels too long: the margin before it, half of that, is
    rounded "down", or to an "even" number, as torchvision does it."""

    @property
    def channels(self) -> int:
        """How many channels the network takes."""
        return len(self.channel_order)

    def check(self) -> None:
        """Raises BadInput unless pictures can be made into such an input."""
        lists = isinstance(self.mean, tuple | list) and isinstance(self.std, tuple | list)
        numbers = (*self.mean, *self.std, self.scale, self.size, self.resize) if lists else ()
        if not numbers or not all(isinstance(n, int | float) for n in numbers):
            raise BadInput(
                f"size {self.size!r}, resize {self.resize!r}, scale {self.scale!r}, mean "
                f"{self.mean!r}, std {self.std!r} given; expected numbers, and of mean and std one "
                "for each channel, as in mean=(0.5, 0.5, 0.5)"
            )
        if self.channel_order != "L" and sorted(self.channel_order) != ["B", "G", "R"]:
            raise BadInput(
                f"channel_order {self.channel_order!r} given, but pictures are RGB; expected 'RGB' "
                "in any order or 'L' for grey. For another input, wrap the network in a module "
                "that takes RGB [batch, 3, y, x]"
            )
        if self.size < 1 or self.resize < 1:
            raise BadInput(
                f"size {self.size} and resize {self.resize} given; say how many pixels wide the "
                "network's input is, as in Preprocessing(size=224, resize=256)"
            )
        if self.fit not in FITS or self.rounding not in ROUNDINGS:
            raise BadInput(
                f"fit {self.fit!r} and rounding {self.rounding!r} given; expected "
                f"{' or '.join(FITS)}, and {' or '.join(ROUNDINGS)}"
            )
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels) and len(set(values)) > 1:
                raise BadInput(
                    f"{name} has {len(values)} values, expected {self.channels}, one per channel "
                    f"of {self.channel_order}"
                )

    def apply(self, images: "Tensor") -> "Tensor":
        """Pixels in the network's range; differentiable.

        Parameters:
            images: RGB [batch, 3, y, x] in 0..1, floating point.

        Returns [batch, 3, y, x] in the network's channel order, or [batch, 1, y, x] for "L", in the
        same dtype and on the same device.

        >>> import torch
        >>> caffe = Preprocessing(8, 8, scale=255.0, mean=(104.0,) * 3, channel_order="BGR")
        >>> caffe.apply(torch.ones(1, 3, 8, 8)).unique().tolist()
        [151.0]
        """
        import torch

        if self.channel_order == "L":
            weights = images.new_tensor(LUMA).view(1, 3, 1, 1)
            grey = (images * weights).sum(1, keepdim=True)
            return (grey * self.scale - self.mean[0]) / self.std[0]
        order = ["RGB".index(c) for c in self.channel_order]
        if order != [0, 1, 2]:
            # Indexing loses the memory layout, and convolutions and pools on CPU are many times
            # slower on the wrong one.
            layout = (
                torch.channels_last
                if images.is_contiguous(memory_format=torch.channels_last)
                else torch.contiguous_format
            )
            # The gradient of reversing is reversing; that of an index is a slow sum over positions.
            other = images.flip(1) if order == [2, 1, 0] else images[:, order]
            images = other.contiguous(memory_format=layout)
        mean = images.new_tensor(self.mean).view(1, -1, 1, 1)
        std = images.new_tensor(self.std).view(1, -1, 1, 1)
        shifted = images * self.scale - mean
        return shifted if set(self.std) == {1.0} else shifted / std

    def as_dict(self) -> dict[str, Any]:
        """Plain data for recipes, atlases and pages; without what is as it usually is."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in _RARE or value != getattr(Preprocessing, name)
        }
