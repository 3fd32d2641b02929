"""What a card's conversion works with: the tensors of an original file, taken one by one.

Layouts: torch keeps kernels as [output, input, y, x] and matrices as [output, input]; TensorFlow
as [y, x, input, output] and [input, output], and reads a map in the order y, x, unit.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from micrograph.weights.formats import WeightsError


class Given:
    """The tensors of a file, and which of them were taken."""

    def __init__(self, tensors: Mapping[str, Tensor], file: Path) -> None:
        self.file = file
        self._tensors = dict(tensors)
        self._left = dict.fromkeys(tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    @property
    def left(self) -> list[str]:
        """Names of tensors that nobody took."""
        return list(self._left)

    def take(self, name: str, shape: Sequence[int] | None = None) -> Tensor:
        """The tensor of that name; with `shape`, laid out so (the same number of elements).

        Raises WeightsError if the file lacks it or it has another number of elements.
        """
        if name not in self._tensors:
            raise WeightsError(f"{self.file} lacks the tensor {name!r}; is it the right file?")
        tensor = self._tensors[name]
        self._left.pop(name, None)
        if shape is None:
            return tensor
        if tensor.numel() != math.prod(shape):
            raise WeightsError(
                f"{self.file}: {name} has shape {list(tensor.shape)}, expected {list(shape)}"
            )
        return tensor.reshape(tuple(shape))


def kernel(hwio: Tensor) -> Tensor:
    """A TensorFlow kernel [y, x, input, output] as [output, input, y, x]."""
    return hwio.permute(3, 2, 0, 1).contiguous()


def matrix(io: Tensor) -> Tensor:
    """A TensorFlow matrix [input, output] as [output, input]."""
    return io.T.contiguous()


def matrix_after_map(io: Tensor, units: int, rows: int, columns: int) -> Tensor:
    """A TensorFlow matrix [y * x * unit, output] behind a map, as [output, unit * y * x]."""
    maps = io.reshape(rows, columns, units, -1)
    return maps.permute(3, 2, 0, 1).flatten(1).contiguous()
