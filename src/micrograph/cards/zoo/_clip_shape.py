"""What tells one CLIP ResNet from another; no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """`width` is the number of units behind the stem, `blocks` that of each stage, `size` the side
    of the pictures in pixels, `dimensions` those of the common space, `text_width` the text
    tower's."""

    width: int
    blocks: tuple[int, int, int, int]
    size: int
    dimensions: int
    text_width: int

    @property
    def heads(self) -> int:
        """Heads of the attention pooling, 64 units each."""
        return self.width * 32 // 64

    @property
    def grid(self) -> int:
        """Side of the last map at the model's own input size."""
        return self.size // 32
