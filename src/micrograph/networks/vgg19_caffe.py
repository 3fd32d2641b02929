"""VGG-19 as a module, and its weights out of original files."""

from collections.abc import Iterator

from torch import Tensor, nn

from micrograph.networks import caffe, layers
from micrograph.weights.conversion import Given

#    units, convolutions; a pool after each group
GROUPS = {1: (64, 2), 2: (128, 2), 3: (256, 4), 4: (512, 4), 5: (512, 4)}

SIDE = 7
"""Of the map before fc6, on pictures of 224 px."""


def weighted_layers() -> Iterator[caffe.CaffeLayer]:
    """The layers of Caffe's file, in order."""
    inputs = 3
    for group, (units, count) in GROUPS.items():
        for number in range(1, count + 1):
            yield caffe.CaffeLayer(f"conv{group}_{number}", (units, inputs, 3, 3))
            inputs = units
    yield caffe.CaffeLayer("fc6", (4096, inputs * SIDE**2), SIDE)
    yield caffe.CaffeLayer("fc7", (4096, 4096))
    yield caffe.CaffeLayer("fc8", (1000, 4096))


def build() -> nn.Module:
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 1000]."""
    net = nn.Sequential()
    *hidden, last = weighted_layers()
    for layer in hidden:
        outputs, inputs, *window = layer.shape
        if window:
            net.add_module(layer.name, layers.ConvReLU(inputs, outputs, 3))
            group, number = int(layer.name[4]), int(layer.name[6])
            if number == GROUPS[group][1]:
                net.add_module(f"pool{group}", nn.MaxPool2d(2, stride=2))
            continue
        if layer.side:
            net.add_module("flatten", layers.Flatten(SIDE))
        net.add_module(layer.name, layers.LinearReLU(inputs, outputs))
    net.add_module("logits", nn.Linear(last.shape[1], last.shape[0]))
    return net.eval()


def convert(take: caffe.Take, given: Given) -> dict[str, Tensor]:
    """Our tensors out of a file that `take` can read."""
    found = {}
    for layer in weighted_layers():
        name = "logits" if layer.name == "fc8" else layer.name
        found[f"{name}.weight"], found[f"{name}.bias"] = take(given, layer)
    return found


def from_caffe(given: Given) -> dict[str, Tensor]:
    """Out of Oxford's `.caffemodel`."""
    return convert(caffe.from_caffe, given)


def from_tensorflow(given: Given) -> dict[str, Tensor]:
    """Out of a graph that caffe-tensorflow made."""
    return convert(caffe.from_tensorflow, given)


def from_torch(given: Given) -> dict[str, Tensor]:
    """Out of a state dict with torchvision's names, of old or new: in the old, dropout came before
    the matrices, which shifts the numbers of the first two."""
    places = {}
    steps = 0
    for group, (_, count) in GROUPS.items():
        for number in range(1, count + 1):
            places[f"conv{group}_{number}"] = f"features.{steps}"
            steps += 2  # the ReLU has a number too
        steps += 1  # and so has the pool
    old = "classifier.1.weight" in given
    first, second = (1, 4) if old else (0, 3)
    places |= {
        "fc6": f"classifier.{first}",
        "fc7": f"classifier.{second}",
        "fc8": "classifier.6",
    }

    return convert(lambda given, layer: caffe.from_torch(given, layer, places[layer.name]), given)
