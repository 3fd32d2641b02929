"""AlexNet (Krizhevsky et al. 2012) with the weights of BVLC's Caffe model, as Lucid had it.

Lucid's frozen graph decides what differs between ports. It was made by the script in
github.com/huanzhang12/tensorflow-alexnet-model from guerzhoy's `bvlc_alexnet.npy`: conv1 is VALID
(55 x 55; guerzhoy's own script pads it to 57 x 57), and its normalization has TensorFlow's alpha
1e-5, which is 5e-5 where alpha is divided by the size. Caffe has 1e-4.

conv2, conv4 and conv5 work in two halves. The graph's `Conv2D_n` are convolutions before bias and
ReLU, each half one of its own: so they are nodes, `conv1_linear`, `conv2_a`, `conv2_b`. Its
`conv2_1` is the layer's end behind the ReLU, our `conv2`: TensorFlow numbers it because the
name `conv2` is taken by the scope of its variables.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from micrograph.cards.model_card import Conversion, ModelCard, WeightsSource
from micrograph.cards.preprocessing import Preprocessing
from micrograph.cards.zoo import _caffe
from micrograph.cards.zoo._imagenet import CLASSES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from micrograph.weights.conversion import Given

#         inputs, units, kernel, groups
CONVS = {
    "conv1": (3, 96, 11, 1),
    "conv2": (96, 256, 5, 2),
    "conv3": (256, 384, 3, 1),
    "conv4": (384, 384, 3, 2),
    "conv5": (384, 256, 3, 2),
}
SIDE = 6
"""Of the map before fc6, on pictures of 227 px."""


def build() -> "nn.Module":
    """The network with random weights; BGR in 0..255 minus the mean to logits [batch, 1000]."""
    return network(1000)


def network(
    classes: int, alpha: float = 5e-5, pool_first: bool = False, ceil: bool = False
) -> "nn.Module":
    """AlexNet or, with the pool before the norm, CaffeNet. `alpha` is divided by the size of the
    window; `ceil` lets pools look over the edge."""
    from torch import nn

    from micrograph.networks import layers

    net = nn.Sequential()

    def pool(number: int) -> None:
        net.add_module(f"pool{number}", nn.MaxPool2d(3, stride=2, ceil_mode=ceil))

    for number, (name, (inputs, units, kernel, groups)) in enumerate(CONVS.items(), 1):
        linear: nn.Module
        if groups == 2:
            linear = layers.Halves(inputs, units, kernel)
        else:
            stride, padding = (4, 0) if number == 1 else (1, kernel // 2)
            linear = nn.Conv2d(inputs, units, kernel, stride, padding, bias=False)
        net.add_module(name, layers.ShiftedReLU(linear, units))
        if number in (1, 2):
            if pool_first:
                pool(number)
            net.add_module(f"norm{number}", layers.LocalResponseNorm(units, alpha=alpha))
        if number in (1, 2, 5) and not (pool_first and number < 5):
            pool(number)
    net.add_module("flatten", layers.Flatten(SIDE))
    net.add_module("fc6", layers.LinearReLU(256 * SIDE**2, 4096))
    net.add_module("fc7", layers.LinearReLU(4096, 4096))
    net.add_module("logits", nn.Linear(4096, classes))
    return net.eval()


def node_id(path: str) -> str | None:
    """`conv2.linear` is `conv2_linear`, its halves are `conv2_a` and `conv2_b`."""
    if path == "flatten" or path.endswith(".shift"):
        return None
    return path.replace(".linear.", "_").replace(".", "_")


# The graph numbers its operations of one kind in the order in which they were made.
_OPERATIONS = {
    "conv1_linear": ("Conv2D",),
    "conv2_a": ("Conv2D_1",),
    "conv2_b": ("Conv2D_2",),
    "conv2_linear": ("concat",),
    "conv3_linear": ("Conv2D_3",),
    "conv4_a": ("Conv2D_4",),
    "conv4_b": ("Conv2D_5",),
    "conv4_linear": ("concat_1",),
    "conv5_a": ("Conv2D_6",),
    "conv5_b": ("Conv2D_7",),
    "conv5_linear": ("concat_2",),
    "fc6": ("Relu", "fc6_fc6"),
    "fc7": ("Relu_1", "fc7_fc7"),
    "logits": ("Softmax", "fc8", "fc8_fc8"),
}


def aliases(node: str) -> tuple[str, ...]:
    """Operations of Lucid's graph: `Conv2D_2_0`, `conv1_1_0`, `Relu_0`, `Softmax_0`."""
    operations = (f"{node}_1",) if node in CONVS else _OPERATIONS.get(node, (node,))
    return tuple(f"{operation}_0" for operation in operations)


def weighted_layers(classes: int) -> Iterator[_caffe.Layer]:
    """The layers of Caffe's file."""
    for name, (inputs, units, kernel, groups) in CONVS.items():
        yield _caffe.Layer(name, (units, inputs // groups, kernel, kernel))
    yield _caffe.Layer("fc6", (4096, 256 * SIDE**2), SIDE)
    yield _caffe.Layer("fc7", (4096, 4096))
    yield _caffe.Layer("fc8", (classes, 4096))


def convert(take: _caffe.Take, classes: int, given: "Given") -> "dict[str, Tensor]":
    """Our tensors out of a file that `take` can read."""
    found: dict[str, Tensor] = {}
    for layer in weighted_layers(classes):
        weight, bias = take(given, layer)
        if layer.name not in CONVS:
            name = "logits" if layer.name == "fc8" else layer.name
            found |= {f"{name}.weight": weight, f"{name}.bias": bias}
            continue
        groups = CONVS[layer.name][3]
        halves = zip(
            ("linear",) if groups == 1 else ("linear.a", "linear.b"),
            weight.chunk(groups),
            strict=True,
        )
        found |= {f"{layer.name}.{half}.weight": part.contiguous() for half, part in halves}
        found[f"{layer.name}.shift.bias"] = bias
    return found


PREPROCESSING = Preprocessing(
    size=227,
    resize=256,
    scale=255.0,
    mean=(103.939, 116.779, 123.68),
    channel_order="BGR",
    interpolation="bicubic",
)

CARD = ModelCard(
    id="alexnet",
    title="AlexNet",
    summary="The network that won ImageNet 2012, retrained by BVLC. Five convolutions, of which "
    "three work in two halves that see only half of the layer before.",
    build=build,
    preprocessing=PREPROCESSING,
    parameters=60_965_224,
    labels=CLASSES,
    paper="Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, "
    "2012",
    paper_url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-"
    "neural-networks",
    licence="BVLC model zoo: unrestricted use",
    lineage="BVLC AlexNet (Caffe, trained by Evan Shelhamer), by way of guerzhoy's "
    "bvlc_alexnet.npy and a frozen TensorFlow graph; torchvision's alexnet is another network (64, "
    "192, 384, 256, 256 units, no halves)",
    sources=(
        WeightsSource(
            title="bvlc_alexnet.npy, converted from Caffe by guerzhoy",
            url="https://www.cs.toronto.edu/~guerzhoy/tf_alexnet/bvlc_alexnet.npy",
            licence="BVLC model zoo: unrestricted use",
        ),
        WeightsSource(
            title="BVLC AlexNet, the original in Caffe's format",
            url="http://dl.caffe.berkeleyvision.org/bvlc_alexnet.caffemodel",
            note="SHA-1 9116a64c0fbe4459d18f4bb6b56d647b63920377, says BVLC",
            licence="BVLC model zoo: unrestricted use",
        ),
        WeightsSource(
            title="Lucid's frozen graph",
            url="gs://modelzoo/vision/other_models/AlexNet.pb",
        ),
    ),
    node_id=node_id,
    aliases=aliases,
    conversions=(
        Conversion("npy", partial(convert, _caffe.from_numbered, 1000), "conv1/0"),
        Conversion("caffemodel", partial(convert, _caffe.from_caffe, 1000), "conv1/0"),
        Conversion(
            "tf-graph", partial(convert, _caffe.from_tensorflow, 1000), "conv1/weights", ("*",)
        ),
    ),
    accuracy="57.1 % top-1, 80.2 % top-5 (centre crop, ILSVRC 2012 validation, with Caffe's "
    "normalization), says BVLC",
)
