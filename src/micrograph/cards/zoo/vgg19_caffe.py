"""VGG-19 as the Oxford group trained it (Simonyan & Zisserman 2014, configuration E).

Every convolution is 3x3; a convolution's node is its value behind the ReLU, which in Lucid's graph,
made by caffe-tensorflow, is `conv4_1/conv4_1`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from micrograph.cards.model_card import Conversion, ModelCard, Probe, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _caffe
from micrograph.cards.zoo._imagenet import CLASSES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.weights.conversion import Given

#    units, convolutions; a pool after each group
GROUPS = {1: (64, 2), 2: (128, 2), 3: (256, 4), 4: (512, 4), 5: (512, 4)}
SIDE = 7
"""Of the map before fc6, on pictures of 224 px."""


def weighted_layers() -> Iterator[_caffe.Layer]:
    """The layers of Caffe's file, in order."""
    inputs = 3
    for group, (units, count) in GROUPS.items():
        for number in range(1, count + 1):
            yield _caffe.Layer(f"conv{group}_{number}", (units, inputs, 3, 3))
            inputs = units
    yield _caffe.Layer("fc6", (4096, inputs * SIDE**2), SIDE)
    yield _caffe.Layer("fc7", (4096, 4096))
    yield _caffe.Layer("fc8", (1000, 4096))


def build() -> "nn.Module":
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 1000]."""
    from torch import nn

    from micrograph.networks import layers

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


def node_id(path: str) -> str | None:
    """All but the flattening."""
    return None if path == "flatten" else path


def aliases(node: str) -> tuple[str, ...]:
    """Operations of Lucid's graph: `conv4_1_conv4_1_0`, `fc6_fc6_0`, `prob_0`."""
    if node == "logits":
        return ("prob_0", "fc8_fc8_0", "fc8", "prob")
    return (f"{node}_0",) if node.startswith("pool") else (f"{node}_{node}_0", f"{node}_{node}")


def convert(take: _caffe.Take, given: "Given") -> "dict[str, Tensor]":
    """Our tensors out of a file that `take` can read."""
    found = {}
    for layer in weighted_layers():
        name = "logits" if layer.name == "fc8" else layer.name
        found[f"{name}.weight"], found[f"{name}.bias"] = take(given, layer)
    return found


def from_caffe(given: "Given") -> "dict[str, Tensor]":
    """Out of Oxford's `.caffemodel`."""
    return convert(_caffe.from_caffe, given)


def from_tensorflow(given: "Given") -> "dict[str, Tensor]":
    """Out of a graph that caffe-tensorflow made."""
    return convert(_caffe.from_tensorflow, given)


def from_torch(given: "Given") -> "dict[str, Tensor]":
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

    return convert(lambda given, layer: _caffe.from_torch(given, layer, places[layer.name]), given)


CARD = ModelCard(
    id="vgg19_caffe",
    title="VGG-19",
    summary="Sixteen convolutions of 3x3 and three matrices: the plainest deep network, and the "
    "one that pictures were first dreamed and restyled with.",
    build=build,
    preprocessing=Preprocessing(
        size=224,
        resize=256,
        scale=255.0,
        mean=(103.939, 116.779, 123.68),
        channel_order="BGR",
        interpolation="bicubic",
    ),
    parameters=143_667_240,
    labels=CLASSES,
    paper="Simonyan & Zisserman, Very Deep Convolutional Networks for Large-Scale Image "
    "Recognition, 2014",
    paper_url="https://arxiv.org/abs/1409.1556",
    licence="CC BY",
    lineage="VGG-19 of Oxford's Visual Geometry Group, trained in a version of Caffe; "
    "torchvision's vgg19 has the same layers but is a training of its own, with other units",
    sources=(
        WeightsSource(
            title="vgg19-d01eb7cb.pth, converted from Caffe by jcjohnson",
            url="https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth",
            licence="CC BY",
        ),
        WeightsSource(
            title="Oxford's original, in Caffe's format",
            url="http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/"
            "VGG_ILSVRC_19_layers.caffemodel",
            licence="CC BY",
        ),
        WeightsSource(
            title="Lucid's frozen graph", url="gs://modelzoo/vision/caffe_models/VGG19.pb"
        ),
    ),
    node_id=node_id,
    aliases=aliases,
    conversions=(
        Conversion("torch", from_torch, "features.34.weight"),
        Conversion("caffemodel", from_caffe, "conv5_4/0"),
        Conversion("tf-graph", from_tensorflow, "conv5_4/weights", ("*",)),
    ),
    probes=(
        Probe(
            "conv5_4",
            4,
            "furry animals",
            classes=(
                "dog",
                "terrier",
                "spaniel",
                "retriever",
                "hound",
                "setter",
                "collie",
                "poodle",
                "sheepdog",
                "shepherd",
                "schnauzer",
                "husky",
                "malamute",
                "Samoyed",
                "chow",
                "keeshond",
                "Pomeranian",
                "wolf",
                "fox",
                "coyote",
                "cat",
                "tabby",
                "lynx",
                "bear",
                "hare",
                "rabbit",
                "hamster",
                "guinea pig",
                "marmot",
                "squirrel",
                "monkey",
            ),
        ),
    ),
    accuracy="74.5 % top-1, 92.0 % top-5 (dense evaluation at 384 px, ILSVRC 2012 validation), "
    "says the paper",
)
