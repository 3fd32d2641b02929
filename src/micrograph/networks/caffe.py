"""Weights that were trained in Caffe, in the two forms in which they are passed on.

Caffe's own files hold [output, input, y, x] and [output, input]. What caffe-tensorflow made of them
(github.com/ethereon/caffe-tensorflow) holds [y, x, input, output] and [input, output], and a matrix
behind a map reads it in the order y, x, unit.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from micrograph.weights.conversion import Given, kernel, matrix, matrix_after_map


@dataclass(frozen=True)
class CaffeLayer:
    """A layer by its name in Caffe: the shape of its weights as torch has them, and, for a matrix
    behind a map, the side of that map."""

    name: str
    shape: tuple[int, ...]
    side: int = 0


Take = Callable[[Given, CaffeLayer], tuple[Tensor, Tensor]]
"""Weight and bias of a layer out of a file, laid out as torch has them."""


def from_caffe(given: Given, layer: CaffeLayer) -> tuple[Tensor, Tensor]:
    """Out of a `.caffemodel`."""
    return (
        given.take(f"{layer.name}/0", layer.shape),
        given.take(f"{layer.name}/1", layer.shape[:1]),
    )


def from_tensorflow(
    given: Given, layer: CaffeLayer, weights: str = "{}/weights", biases: str = "{}/biases"
) -> tuple[Tensor, Tensor]:
    """Out of a graph such as caffe-tensorflow makes; slashes become underscores."""
    scope = layer.name.replace("/", "_")
    outputs, inputs, *window = layer.shape
    weight = given.take(weights.format(scope), (*window, inputs, outputs))
    if window:
        weight = kernel(weight)
    elif layer.side:
        weight = matrix_after_map(weight, inputs // layer.side**2, layer.side, layer.side)
    else:
        weight = matrix(weight)
    return weight, given.take(biases.format(scope), (outputs,))


def from_numbered(given: Given, layer: CaffeLayer) -> tuple[Tensor, Tensor]:
    """Out of a `.npy` dictionary of lists, weight first: `conv1/0`, `conv1/1`."""
    return from_tensorflow(given, layer, "{}/0", "{}/1")


def from_torch(given: Given, layer: CaffeLayer, module: str) -> tuple[Tensor, Tensor]:
    """Out of a state dict, in which the layer is called `module`."""
    return (
        given.take(f"{module}.weight", layer.shape),
        given.take(f"{module}.bias", layer.shape[:1]),
    )
