"""CaffeNet with the classes of Places365."""

from torch import Tensor, nn

from micrograph.cards.zoo._places365 import CLASSES
from micrograph.networks import alexnet, caffe
from micrograph.weights.conversion import Given


def build() -> nn.Module:
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 365]."""
    return alexnet.network(len(CLASSES), alpha=1e-4, pool_first=True, ceil=True)


def from_caffemodel(given: Given) -> dict[str, Tensor]:
    """Out of CSAIL's `.caffemodel`."""
    return alexnet.convert(caffe.from_caffe, len(CLASSES), given)


def from_graph(given: Given) -> dict[str, Tensor]:
    """Out of Lucid's frozen graph."""
    return alexnet.convert(caffe.from_tensorflow, len(CLASSES), given)
