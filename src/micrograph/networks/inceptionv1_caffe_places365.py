"""BVLC's GoogLeNet with the classes of Places365."""

from torch import Tensor, nn

from micrograph.cards.zoo._places365 import CLASSES
from micrograph.networks import caffe, inception, inceptionv1_caffe
from micrograph.weights.conversion import Given


def build() -> nn.Module:
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 365]."""
    return inceptionv1_caffe.network(len(CLASSES))


_STEM = {
    "conv1_7x7_s2": "conv1",
    "conv2_3x3_reduce": "conv2",
    "conv2_3x3": "conv3",
    "loss3_classifier": "fc",
}


def from_captum(given: Given) -> dict[str, Tensor]:
    """Out of captum's state dict."""
    found = {}
    for path, layer in inceptionv1_caffe.weighted_layers(len(CLASSES)):
        block, _, branch = path.removeprefix("inception_").partition(".")
        module = inception.in_captum(block, branch) if branch else _STEM[path]
        found[f"{path}.weight"], found[f"{path}.bias"] = caffe.from_torch(given, layer, module)
    return found


def from_caffemodel(given: Given) -> dict[str, Tensor]:
    """Out of CSAIL's `.caffemodel`."""
    return inceptionv1_caffe.convert(caffe.from_caffe, len(CLASSES), given)


def from_graph(given: Given) -> dict[str, Tensor]:
    """Out of Lucid's frozen graph."""
    return inceptionv1_caffe.convert(caffe.from_tensorflow, len(CLASSES), given)
